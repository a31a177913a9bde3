"""What can go wrong on demand: faults, and the rules that say which requests meet them."""

from dataclasses import KW_ONLY
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Status = Annotated[int, Field(ge=200, le=599)]
HeaderText = Annotated[str, Field(pattern=r"^[\t -~]*$")]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Serve:
    """Serve this one normally; in a script, the good answer between two bad ones."""

    _: KW_ONLY
    kind: Literal["serve"] = "serve"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Reply:
    """Answer *status* instead of serving; with *after_commit*, store the call first.

    body: the form of the answer; content: its text, else something fitting. retry_after: seconds,
    or any text to send as it is; retry_after_date: seconds from now, sent as an HTTP date.
    """

    status: Status
    _: KW_ONLY
    body: Literal["json", "html", "text", "empty"] = "json"
    content: str | None = None
    retry_after: Seconds | HeaderText | None = None
    retry_after_date: Seconds | None = None
    after_commit: bool = False
    kind: Literal["reply"] = "reply"

    def __post_init__(self) -> None:
        if self.retry_after is not None and self.retry_after_date is not None:
            raise ValueError("retry_after and retry_after_date exclude each other")


@dataclass(frozen=True, slots=True, config=_STRICT)
class Redirect:
    """Answer a redirect to *location*."""

    location: HeaderText
    _: KW_ONLY
    status: Literal[301, 302, 303, 307, 308] = 307
    kind: Literal["redirect"] = "redirect"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Reset:
    """Reset the connection (TCP RST), no answer; with *after_commit*, store the call first."""

    _: KW_ONLY
    after_commit: bool = False
    kind: Literal["reset"] = "reset"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Delay:
    """Wait *seconds*, then do *answer*; with *after_commit*, store the call before the wait."""

    seconds: Seconds
    _: KW_ONLY
    answer: "Fault" = Serve()
    after_commit: bool = False
    kind: Literal["delay"] = "delay"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Truncate:
    """Send half of *answer* under its full Content-Length, then close the connection."""

    _: KW_ONLY
    answer: "Fault" = Serve()
    kind: Literal["truncate"] = "truncate"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Drip:
    """Send the head of *answer* at once and its body byte by byte, *seconds* in all."""

    seconds: Seconds
    _: KW_ONLY
    answer: "Fault" = Serve()
    kind: Literal["drip"] = "drip"


Fault = Annotated[Serve | Reply | Redirect | Reset | Delay | Truncate | Drip, Discriminator("kind")]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class _Aimed:
    """Meet only the requests that match all of these.

    call_id, agent, key: shell patterns; what a request does not carry is matched as an empty text,
    so that `*` meets everything, readable or not. workspace_id: exactly this one.
    """

    call_id: str = "*"
    agent: str = "*"
    key: str = "*"
    workspace_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Script(_Aimed):
    """Use up *answers* in order, then serve normally; with *each_call*, anew for every call_id."""

    answers: tuple[Fault, ...]
    each_call: bool = False
    kind: Literal["script"] = "script"


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Dice(_Aimed):
    """Do *fault* to this *share* (0 to 1) of the requests.

    The dice know only *seed*, the call_id and how often it has been posted: whatever the
    order in which calls arrive, the same ones meet the fault.
    """

    share: Annotated[float, Field(ge=0, le=1)]
    fault: Fault
    seed: int = 0
    kind: Literal["dice"] = "dice"


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Window(_Aimed):
    """Do *fault* to everything for *seconds*, beginning *after* seconds from now."""

    fault: Fault
    seconds: Seconds
    after: Seconds = 0.0
    kind: Literal["window"] = "window"


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Refuse:
    """Refuse connections for *seconds*, beginning *after* seconds from now; open ones are reset."""

    seconds: Seconds
    after: Seconds = 0.0
    kind: Literal["refuse"] = "refuse"


Rule = Annotated[Script | Dice | Window | Refuse, Discriminator("kind")]
