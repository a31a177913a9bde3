"""Makes up what is said in sample calls: five kinds of conversation, from templates and words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Speech:
    """Hold a sentence or two of the *role* `agent` or `user`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Hold a call of one of the agent's tools, and what came back."""

    name: str
    params: Mapping[str, str]
    result: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """Hold a move of the agent from one node of its script to another."""

    origin: str
    target: str


Turn: TypeAlias = Speech | ToolUse | Step
Values: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Tool:
    """Name a tool with the slots that it takes and gives."""

    name: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold what the agent says, what the user answers, and the tool that is used then."""

    agent: str
    user: str
    tool: Tool | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Name a kind of conversation and list its exchanges."""

    name: str
    exchanges: tuple[Exchange, ...]


_SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("Amara", "Bruno", "Chen", "Dalia", "Elif", "Farid", "Greta", "Hiro", "Imani", "Jonas"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday morning"),
    "time": ("eleven", "noon", "half past one", "two thirty", "ten to four", "five"),
    "earlier": ("seven thirty", "eight", "half past eight", "nine fifteen", "ten"),
    "amount": ("12.40", "18.99", "37.50", "64.00", "89.95", "120.10", "249.00"),
    "street": ("Alder Lane", "Mill Road", "Harbour Street", "Station Square", "Rose Court"),
    "reason": ("a routine check", "a sore knee", "a prescription", "a second opinion", "a rash"),
    "item": ("a pair of boots", "a desk lamp", "two paperbacks", "a coffee grinder", "a raincoat"),
    "room": ("a quiet double", "a family room", "a single with a desk", "a twin with a balcony"),
    "device": ("the router", "the television box", "my laptop", "the telephone", "the printer"),
    "light": ("steady green", "blinking orange", "red", "off altogether", "blue and then white"),
}

_AGENT_OPENERS: Final = ("", "", "Of course. ", "Thank you. ", "I understand. ", "Let me look. ")
_USER_OPENERS: Final = ("", "", "Um. ", "Okay. ", "Right. ", "Let me think. ", "Well. ")

_CHANGE: Final = (
    Speech("agent", "Is there anything else that I can help you with today?"),
    Speech("user", "Yes, as I have you on the line, there is one more thing."),
)

SCENARIOS: Final = (
    Scenario(
        "appointment",
        (
            Exchange(
                "Good morning, Alder Lane Clinic, this call is recorded. How can I help you?",
                "Hello, this is {name}. I would like to see the doctor about {reason}.",
            ),
            Exchange(
                "May I have your date of birth and the number on your card, {name}?",
                "It is the fourth of May, and the card says {number}.",
                Tool("find_patient", ("name", "number"), ("name",)),
            ),
            Exchange(
                "I have found you. The first free time would be {day} at {time}.",
                "{day} is difficult, I work until late. Is there anything earlier in the day?",
                Tool("find_slot", ("day", "time"), ("day", "time")),
            ),
            Exchange(
                "There has just been a cancellation, so I could offer you {earlier} instead.",
                "Yes, {earlier} would be perfect. Do I need to bring anything along?",
                Tool("book_slot", ("name", "day", "earlier"), ("number",)),
            ),
            Exchange(
                "Only your card, please, and be here ten minutes early. Shall I send a reminder?",
                "A text message the day before would be kind, to this number.",
            ),
        ),
    ),
    Scenario(
        "billing",
        (
            Exchange(
                "Welcome to the billing desk. Which invoice are you calling about?",
                "The last one. It says {amount}, and I have never paid that much before.",
            ),
            Exchange(
                "I am sorry about the surprise. Could you read me the invoice number?",
                "One moment, it is {number}. It came in the post on {day}.",
                Tool("get_invoice", ("number",), ("amount", "day")),
            ),
            Exchange(
                "I see {amount} in total, of which a part is for calls abroad on {day}.",
                "I was not abroad at all. Somebody must have mixed that up.",
            ),
            Exchange(
                "You are right, that line belongs to another contract. I will take it off.",
                "Does that mean that I pay the old amount, or do I wait for a new invoice?",
                Tool("credit_invoice", ("number", "amount"), ("amount",)),
            ),
            Exchange(
                "Please wait for the corrected invoice. You will have it by {day}.",
                "And nobody will send me a reminder for the wrong one in the meantime?",
            ),
        ),
    ),
    Scenario(
        "delivery",
        (
            Exchange(
                "Parcel service, hello. Do you have a tracking number for me?",
                "Yes, {number}. It should have been here on {day}, it is {item}.",
                Tool("track_parcel", ("number",), ("day", "street")),
            ),
            Exchange(
                "Our driver was at {street} at {time}, but nobody answered the door.",
                "That cannot be, I was at home all day. The bell works, I have just tried it.",
            ),
            Exchange(
                "Then I would like to send it out again. Would {day} at {time} suit you?",
                "Could the driver leave it with the neighbours at {street} if I am not in?",
            ),
            Exchange(
                "Certainly, I have put a note on it. Is the address still {street}?",
                "It is, the blue house at the corner, second floor, the name is {name}.",
                Tool("plan_delivery", ("number", "day", "time", "street"), ("day", "time")),
            ),
        ),
    ),
    Scenario(
        "booking",
        (
            Exchange(
                "Hotel reception, good evening. What can I do for you?",
                "I need {room} from {day}, for two nights if you have one.",
                Tool("find_room", ("room", "day"), ("amount",)),
            ),
            Exchange(
                "We have {room} for {amount} a night, breakfast included.",
                "That sounds fine. Is it on the side of the courtyard? I sleep badly.",
            ),
            Exchange(
                "It looks onto the courtyard. Under which name may I book it?",
                "{name}, please. We will arrive late, around {time} in the evening.",
                Tool("book_room", ("name", "room", "day"), ("number", "amount")),
            ),
            Exchange(
                "I have noted the late arrival. Your confirmation is number {number}.",
                "Thank you. And is there somewhere to leave a bicycle overnight?",
            ),
        ),
    ),
    Scenario(
        "support",
        (
            Exchange(
                "Technical support, my name is {name}. What seems to be the trouble?",
                "Since {day} nothing works any more, and {device} keeps losing the connection.",
            ),
            Exchange(
                "Let us have a look together. Which colour is the light on {device}?",
                "It is {light} now, and it has been like that since breakfast.",
                Tool("read_line", ("number",), ("light",)),
            ),
            Exchange(
                "Please pull the plug, count to thirty, and put it back in again.",
                "Done. It makes a noise, and the light is {light}. Is that what you expect?",
            ),
            Exchange(
                "Not quite. I am sending it a new configuration, that takes about a minute.",
                "Take your time. Oh, now something happens, {device} says that it is connected.",
                Tool("reset_line", ("number", "device"), ("light",)),
            ),
            Exchange(
                "Very good. If it drops out again, an engineer could come on {day} at {time}.",
                "Let us hope that it will not come to that. But note it down, please.",
            ),
        ),
    ),
)


def converse(dice: Random) -> Iterator[Turn]:
    """Yield the turns of a conversation that has no end: whoever listens hangs up."""
    last = "start"
    while True:
        scenario = dice.choice(SCENARIOS)
        yield Step(last, scenario.name)
        yield from _perform(scenario, _values(dice), dice)
        yield from _CHANGE
        last = scenario.name


def _perform(scenario: Scenario, values: Values, dice: Random) -> Iterator[Turn]:
    opener = ""
    for exchange in scenario.exchanges:
        yield Speech("agent", opener + exchange.agent.format_map(values))
        yield Speech("user", dice.choice(_USER_OPENERS) + exchange.user.format_map(values))
        opener = dice.choice(_AGENT_OPENERS)
        if (tool := exchange.tool) is not None:
            params = {slot: values[slot] for slot in tool.takes}
            yield ToolUse(tool.name, params, {slot: values[slot] for slot in tool.gives})


def _values(dice: Random) -> Values:
    values = {slot: dice.choice(words) for slot, words in _SLOTS.items()}
    values["number"] = str(dice.randrange(10**5, 10**6))
    return values
