import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.vertx.VertxParallelEoSStreamProcessor;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.net.URI;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Posts every record of a topic with Confluent's Parallel Consumer and its Vert.x client. */
public class Main {
    public static void main(String[] arguments) {
        var environ = System.getenv();
        var settings = new Properties();
        settings.put("bootstrap.servers", environ.get("KAFKA"));
        settings.put("group.id", environ.get("GROUP"));
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        settings.put("max.poll.records", "2000");
        var bytes = "org.apache.kafka.common.serialization.ByteArrayDeserializer";
        settings.put("key.deserializer", bytes);
        settings.put("value.deserializer", bytes);
        int slots = Integer.parseInt(environ.get("SLOTS"));
        var url = URI.create(environ.get("URL"));
        var vertx = Vertx.vertx();
        var client = WebClient.create(vertx, new WebClientOptions()
            .setMaxPoolSize(slots).setKeepAlive(true)
            .setSsl(url.getScheme().equals("https")).setTrustAll(true));
        var options = ParallelConsumerOptions.<byte[], byte[]>builder()
            .ordering(ProcessingOrder.UNORDERED).maxConcurrency(slots)
            .consumer(new KafkaConsumer<byte[], byte[]>(settings)).build();
        var processor = new VertxParallelEoSStreamProcessor<byte[], byte[]>(vertx, client, options);
        processor.subscribe(List.of(environ.get("TOPIC")));
        processor.vertxHttpWebClient((web, context) -> web
            .post(url.getPort(), url.getHost(), url.getPath())
            .putHeader("Content-Type", "application/json").putHeader("X-API-Key", "k")
            .sendBuffer(Buffer.buffer(context.getSingleConsumerRecord().value())), answer -> {});
    }
}
