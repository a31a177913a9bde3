"""What somebody should do about a hold, in a sentence for each cause."""

_MENDING = {
    "unauthorized": "Tuner does not accept the key: put a valid one in its place; a key that is"
    " read from a file is used as soon as the file has it.",
    "forbidden": "The key does not open this workspace: give it access, or correct the workspace"
    " id.",
    "unknown_route": "Tuner does not know this agent or workspace: correct the ids in the settings"
    " or the routes file, or create the agent in Tuner.",
    "not_tuner": "Something other than Tuner answers there: correct the base URL, or look at the"
    " proxy or ingress in front of Tuner.",
    "tls": "No trusted TLS connection: look at the server's certificate, TUNER_CA_FILE and"
    " TUNER_CERT_FILE.",
    "unknown_host": "The host name has no address: correct the base URL, or mend the name service.",
    "status_402": "Tuner asks for payment: look at the plan of the account.",
    "status_407": "A proxy wants credentials: put them into its address.",
}
_MOVED = "The address redirects elsewhere, which is never followed: correct the base URL."
_MISPLACED = (
    "The address does not take calls: correct the base URL, or look at the proxy before it."
)
_OUTAGE = "Tuner does not answer as it should: nothing to do here, calls go on when it is back."


def remedy(cause: str, *, is_outage: bool = False) -> str:
    """Say what to do about a hold that began with *cause*."""
    if is_outage:
        return _OUTAGE
    if cause.startswith("status_3"):
        return _MOVED
    return _MENDING.get(cause, _MISPLACED)
