"""Finds out why no broker lets us in: the client says only that none did, and logs the rest."""

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError

from ingestor.edge.kafka_connection import Connection
from ingestor.edge.oauth import NoTokenError

ANSWER_MS = 5_000
MOST_HOSTS = 3


async def obstacle(connection: Connection) -> str | None:
    """Knock at the first brokers; say what each had against us, None when one lets us in.

    Of an error its type is told, since its text may be anybody's: the broker's, the system's.
    """
    try:
        options = dict(connection.options())
    except OSError as error:  # a certificate that is not there
        return type(error).__name__
    causes = []
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers"))[:MOST_HOSTS]:
        try:
            open_one = await create_conn(host, port, request_timeout_ms=ANSWER_MS, **options)
        except NoTokenError as error:
            causes.append(str(error.args[0]))
        except (KafkaError, OSError) as error:
            causes.append(type(error).__name__)
        else:
            open_one.close()
            return None
    return ", ".join(sorted(set(causes)))
