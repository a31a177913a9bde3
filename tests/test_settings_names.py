"""Settings: what becomes of names that are no settings."""

import pytest
from settings_builders import SECRET, bad, good, warned

SLIPS = {
    "KAFKA_TOPIC": "KAFKA_TOPICS",
    "KAFKA_TOPCIS": "KAFKA_TOPICS",
    "kafka_topics": "KAFKA_TOPICS",
    "KAFKA_TOPICS_FILE": "KAFKA_TOPICS",
    "KAFKA_BOOTSTRAP_SERVER": "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_GROUPID": "KAFKA_GROUP_ID",
    "KAFKA_DEADLETTER_TOPIC": "KAFKA_DEAD_LETTER_TOPIC",
    "KAFKA_OFFSET_RESET": "KAFKA_AUTO_OFFSET_RESET",
    "KAFKA_SASL_MECHANISMS": "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USER": "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWD": "KAFKA_SASL_PASSWORD",
    "KAFKA_SSL_CAFILE": "KAFKA_SSL_CA_FILE",
    "TUNER_APIKEY": "TUNER_API_KEY",
    "TUNER_API_KEYFILE": "TUNER_API_KEY_FILE",
    "TUNER_WORKSPACE": "TUNER_WORKSPACE_ID",
    "TUNER_WORKSAPCE_ID": "TUNER_WORKSPACE_ID",
    "TUNER_AGENTID": "TUNER_AGENT_ID",
    "TUNER_BASE_URI": "TUNER_BASE_URL",
    "TUNER_BASE_URL_FILE": "TUNER_BASE_URL",
    "TUNER_TIMEOUT_SECS": "TUNER_TIMEOUT_SECONDS",
    "TUNER_ALLOW_HTTPS": "TUNER_ALLOW_HTTP",
    "INGESTOR_CONCURRENCY": "INGESTOR_MAX_CONCURRENCY",
    "INGESTOR_MAX_CONCURENCY": "INGESTOR_MAX_CONCURRENCY",
    "INGESTOR_ATTEMPTS": "INGESTOR_MAX_ATTEMPTS",
    "INGESTOR_LOGLEVEL": "INGESTOR_LOG_LEVEL",
    "INGESTOR_ROUTE_FILE": "INGESTOR_ROUTES_FILE",
    "INGESTOR_EVENT_TYPE": "INGESTOR_EVENT_TYPES",
    "INGESTOR_OPS_PROT": "INGESTOR_OPS_PORT",
}

FOREIGN = [
    "KAFKA_HEAP_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_OPTS",
    "KAFKA_HOME",
    "KAFKA_BROKERS",
    "KAFKA_BROKER_ID",
    "KAFKA_NODE_ID",
    "KAFKA_CLUSTER_ID",
    "KAFKA_PROCESS_ROLES",
    "KAFKA_LISTENERS",
    "KAFKA_LOG_DIRS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_ZOOKEEPER_CONNECT",
    "KAFKA_SECURITY_INTER_BROKER_PROTOCOL",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_SASL_ENABLED_MECHANISMS",
    "KAFKA_SASL_JAAS_CONFIG",
    "KAFKA_SASL_MECHANISM_INTER_BROKER_PROTOCOL",
    "KAFKA_SSL_KEYSTORE_PASSWORD",
    "KAFKA_SSL_KEYSTORE_FILENAME",
    "KAFKA_SSL_TRUSTSTORE_PASSWORD",
    "KAFKA_SSL_CLIENT_AUTH",
    "KAFKA_SSL_PROTOCOL",
    "KAFKA_CREATE_TOPICS",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE",
    "KAFKA_DELETE_TOPIC_ENABLE",
    "KAFKA_CLIENT_USERS",
    "KAFKA_CLIENT_PASSWORDS",
    "KAFKA_CFG_NODE_ID",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS",
    "KAFKA_TOPIC_PREFIX",
    "KAFKA_BOOTSTRAP_PORT",
    "KAFKA_SCHEMA_REGISTRY_URL",
    "TUNER_DEBUG",
    "TUNER_HOME",
    "INGESTOR_VERSION",
    "INGESTOR_OPS_TOKEN",
]

KUBERNETES = {
    f"{service}_{name}": written
    for service in ("KAFKA", "TUNER", "INGESTOR", "KAFKA_TOPICS", "TUNER_API", "INGESTOR_OPS")
    for name, written in {
        "SERVICE_HOST": "10.96.3.4",
        "SERVICE_PORT": "9092",
        "SERVICE_PORT_TCP_CLIENT": "9092",
        "PORT": "tcp://10.96.3.4:9092",
        "PORT_9092_TCP": "tcp://10.96.3.4:9092",
        "PORT_9092_TCP_PROTO": "tcp",
        "PORT_9092_TCP_PORT": "9092",
        "PORT_9092_TCP_ADDR": "10.96.3.4",
    }.items()
}


@pytest.mark.parametrize(("name", "meant"), SLIPS.items())
def test_a_slip_of_the_pen_refuses_to_start_and_names_what_is_meant(name: str, meant: str) -> None:
    """A setting that silently does not apply is worse than a service that does not start."""
    problems = bad({name: SECRET})

    assert list(problems) == [name]
    assert f"did you mean {meant}?" in problems[name] or f"set {meant} itself" in problems[name]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_name_only_warns(name: str) -> None:
    """Kafka's images and tools use the same prefix; their names say nothing about us."""
    assert list(warned(good({name: SECRET}))) == [name]


def test_what_kubernetes_sets_for_services_never_refuses_to_start() -> None:
    """A Service called kafka, tuner or even ingestor-ops must not keep us from starting."""
    settings = good(KUBERNETES)

    assert warned(settings).keys() == KUBERNETES.keys()
    assert settings.ingestor.ops_port == 8080


def test_a_distant_resemblance_is_a_hint() -> None:
    """Too far off to refuse, near enough to help."""
    assert "perhaps KAFKA_GROUP_ID is meant" in warned(good({"KAFKA_GROUP": "a"}))["KAFKA_GROUP"]
    assert "perhaps" not in warned(good({"KAFKA_HOME": "a"}))["KAFKA_HOME"]


def test_names_without_our_prefix_are_nobodys_business() -> None:
    """The environment is full of other things."""
    assert good({"PATH": "/bin", "TOPICS": "a", "KAFKATOPICS": "b"}).warnings == ()


def test_an_unknown_toml_key_always_refuses() -> None:
    """Nobody else writes into our file."""
    toml = {"kafka": {"topic": "a", "TOPICS": "b", "zzzzzz": 1}, "kafak": {}, "topics": "a"}

    problems = bad({}, toml)

    assert problems["kafka.topic"] == "is not known here; did you mean topics?"
    assert "did you mean topics?" in problems["kafka.TOPICS"]
    assert "known are bootstrap_servers, topics" in problems["kafka.zzzzzz"]
    assert "did you mean kafka?" in problems["kafak"]
    assert "known are kafka, tuner, ingestor" in problems["topics"]
