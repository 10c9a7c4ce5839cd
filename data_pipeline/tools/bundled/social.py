"""Social life and social media: posts, followers, polls, parties and shared expenses."""

import hashlib
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_age_gap",
    "calculate_engagement_rate",
    "calculate_poll_margin",
    "check_post_length",
    "draw_gift_exchange",
    "estimate_follower_growth",
    "estimate_party_attendance",
    "settle_group_expenses",
]

_Z_SCORES = {"90": 1.645, "95": 1.96, "99": 2.576}
_MAX_CHARACTERS = {"bluesky": 300, "mastodon": 500, "threads": 500, "instagram": 2200, "linkedin": 3000}


class Expense(TypedDict):
    """What someone paid for the group."""

    person: Annotated[str, Field(description="Name of the person who paid")]
    amount: Annotated[float, Field(gt=0, le=10_000, description="Amount paid", examples=[12.5, 36, 48, 120, 240])]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _parse_date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"{text!r} is not a date as YYYY-MM-DD.") from None


def _distinct(names: list[str]) -> list[str]:
    """Return the names without spaces around them, refusing one that is empty or given twice."""
    cleaned = [name.strip() for name in names]
    _require(all(cleaned), "A name cannot be empty.")
    _require(len({name.casefold() for name in cleaned}) == len(cleaned), "A name is given more than once.")
    return cleaned


def calculate_age_gap(
    first_birth_date: Annotated[str, Field(examples=["1984-07-19", "1991-02-28", "2003-11-05"])],
    second_birth_date: Annotated[str, Field(examples=["1958-12-30", "1989-10-08", "1996-04-21"])],
) -> dict[str, int | str]:
    """Calculate the age gap between two people from their dates of birth.

    Queries:
        How far apart in age are two people born on {first_birth_date} and {second_birth_date}?
        My birthday is {first_birth_date}, my partner's {second_birth_date}. Which of us is older, and by how much?
        Work out the age difference between somebody born {first_birth_date} and somebody else born {second_birth_date}.
        One cousin was born on {first_birth_date}, the other on {second_birth_date}. What's the gap between them?

    Args:
        first_birth_date: Date of birth of the first person as YYYY-MM-DD
        second_birth_date: Date of birth of the second person as YYYY-MM-DD

    Returns:
        The whole years, the months beyond them, all the days between, and who is older.

    Raises:
        ValueError: If a date is not valid.
    """
    first, second = _parse_date(first_birth_date), _parse_date(second_birth_date)
    older, younger = min(first, second), max(first, second)
    months = 12 * (younger.year - older.year) + younger.month - older.month - (younger.day < older.day)
    return {
        "years": months // 12,
        "months": months % 12,
        "total_days": (younger - older).days,
        "older": "same age" if first == second else "first" if first < second else "second",
    }


def calculate_engagement_rate(
    likes: Annotated[int, Field(ge=0)],
    comments: Annotated[int, Field(ge=0)],
    followers: Annotated[int, Field(ge=500, le=10_000_000, examples=[850, 2400, 5200, 15_000])],
    shares: Annotated[int, Field(ge=0)] = 0,
) -> dict[str, float | int | str]:
    """Calculate the engagement rate of a social media post.

    Queries:
        How engaging is a post with {likes} likes and {comments} comments[, plus {shares} shares,] on an account that has {followers} followers?
        I have {followers} followers. My last post got {likes} likes and {comments} comments[, and it was shared {shares} times]. Is that any good?
        Rate the engagement of a post: the account has {followers} followers, {comments} commented and {likes} liked it[, and {shares} shared it].
        Our page has {followers} fans, and the newest post drew {comments} comments and {likes} likes. What percentage of them engaged?

    Args:
        likes: Likes on the post
        comments: Comments on the post
        followers: Followers of the account, at least 500
        shares: Times the post was shared

    Returns:
        The interactions, their percentage of the followers and how good that is.

    Raises:
        ValueError: If an interaction is negative or there are not 500 to 10000000 followers.
    """
    _require(min(likes, comments, shares) >= 0, "Likes, comments and shares cannot be negative.")
    _require(500 <= followers <= 10_000_000, "The rate means something for 500 to 10000000 followers.")
    rate = 100 * (likes + comments + shares) / followers
    rating = "low" if rate < 1 else "average" if rate < 3.5 else "high"
    return {"interactions": likes + comments + shares, "engagement_percent": round(rate, 2), "rating": rating}


def calculate_poll_margin(
    respondents: Annotated[int, Field(ge=10, examples=[150, 400, 1000, 2500])],
    support_percent: Annotated[float, Field(ge=0, le=100, examples=[38, 47.5, 52, 61])],
    confidence_percent: Literal["90", "95", "99"] = "95",
) -> dict[str, float | bool]:
    """Calculate the margin of error of a poll result.

    Queries:
        How exact is a poll where {support_percent} of {respondents} people agreed[, at a confidence level of {confidence_percent#}%]?
        I surveyed {respondents} people and {support_percent} liked the idea. How far off could that be?
        Give me the margin of error for a poll that asked {respondents} people and found {support_percent} in favor[, at {confidence_percent#}% confidence].
        We polled {respondents} voters and {support_percent} backed our proposal. What's the plus or minus on that?

    Args:
        respondents: Respondents to the poll
        support_percent: Share of the respondents who chose the answer, in percent
        confidence_percent: Confidence level of the margin in percent

    Returns:
        The margin in percentage points, its lower and upper end, and whether that is a sure majority.

    Raises:
        ValueError: If there are fewer than 10 respondents or the support is not 0 to 100 percent.
    """
    _require(respondents >= 10, "A margin of error needs at least 10 respondents.")
    _require(0 <= support_percent <= 100, "The support must be between 0 and 100 percent.")
    share = support_percent / 100
    margin = 100 * _Z_SCORES[confidence_percent] * (share * (1 - share) / respondents) ** 0.5
    return {
        "margin_points": round(margin, 1),
        "lowest_percent": round(max(support_percent - margin, 0.0), 1),
        "highest_percent": round(min(support_percent + margin, 100.0), 1),
        "sure_majority": support_percent - margin > 50,
    }


def check_post_length(
    post_text: str, network: Literal["bluesky", "mastodon", "threads", "instagram", "linkedin"]
) -> dict[str, bool | int]:
    """Check whether a post fits into the character limit of a social network.

    Queries:
        Is there enough room on {network} for this post: {post_text}
        I want to put something on {network} but worry that it's over the character limit: {post_text}
        Check whether {network} would take a text of this length: {post_text}
        Too long for {network} or fine as it is? {post_text}

    Args:
        post_text: Text of the post
        network: Social network to post on

    Returns:
        Whether the post fits, its length, the limit and the characters left, negative if too long.

    Raises:
        ValueError: If the post is empty.
    """
    _require(bool(post_text.strip()), "The post is empty.")
    length, limit = len(post_text.strip()), _MAX_CHARACTERS[network]
    return {"fits": length <= limit, "characters": length, "limit": limit, "characters_left": limit - length}


def draw_gift_exchange(
    participants: Annotated[list[str], Field(min_length=3, max_length=100)],
    draw_number: Annotated[int, Field(ge=1, le=1000)] = 1,
) -> list[dict[str, str]]:
    """Draw who gives a present to whom in a gift exchange.

    Queries:
        Who buys a present for whom if {participants} do Secret Santa[, going by draw number {draw_number}]?
        We're swapping presents this year: {participants}. Can you draw names so that everybody gets one?
        Assign a gift giver and a receiver to each of {participants}[, using draw number {draw_number}].
        I need somebody to draw the Secret Santa names for {participants}.

    Args:
        participants: Names of the people who take part
        draw_number: Number of the draw, where another number gives another draw

    Returns:
        The giver and the receiver of each present, in the order of the participants.

    Raises:
        ValueError: If there are not 3 to 100 people, a name is repeated or the number is out of range.
    """
    _require(3 <= len(participants) <= 100, "A gift exchange needs 3 to 100 people.")
    _require(1 <= draw_number <= 1000, "The number of the draw must be between 1 and 1000.")
    names = _distinct(participants)
    # A circle in an order that looks shuffled: everyone gives to the next, so nobody to themselves.
    circle = sorted(names, key=lambda name: hashlib.sha256(f"{draw_number}:{name}".encode()).digest())
    receivers = dict(zip(circle, circle[1:] + circle[:1], strict=True))
    return [{"giver": name, "receiver": receivers[name]} for name in names]


def estimate_follower_growth(
    current_followers: Annotated[int, Field(ge=1, le=100_000_000, examples=[320, 1500, 12_000])],
    monthly_growth_percent: Annotated[float, Field(ge=-50, le=50, examples=[2, 3.5, 5, 12])],
    months: Annotated[int, Field(ge=1, le=60)] = 12,
) -> dict[str, int]:
    """Estimate how many followers a social media account will have.

    Queries:
        How big will my following of {current_followers} be[ in {months}] with a monthly growth of {monthly_growth_percent}?
        My page has {current_followers} followers and a growth of {monthly_growth_percent} a month. How many will it have[ {months} from now]?
        Project an account's followers[ over the next {months}], with {monthly_growth_percent} growth a month and {current_followers} of them today.
        At {monthly_growth_percent} growth per month, where will a fan base of {current_followers} be[ in {months}]?

    Args:
        current_followers: Followers the account has now
        monthly_growth_percent: Growth of the followers a month in percent, negative for a loss
        months: Months to look ahead

    Returns:
        The followers at the end and the change.

    Raises:
        ValueError: If the followers, the growth or the months are out of range.
    """
    _require(1 <= current_followers <= 100_000_000, "The followers must be between 1 and 100000000.")
    _require(-50 <= monthly_growth_percent <= 50, "The growth must be between -50 and 50 percent a month.")
    _require(1 <= months <= 60, "The months must be between 1 and 60.")
    expected = round(current_followers * (1 + monthly_growth_percent / 100) ** months)
    return {"expected_followers": expected, "change": expected - current_followers}


def estimate_party_attendance(
    accepted_invitations: Annotated[int, Field(ge=0)],
    undecided_guests: Annotated[int, Field(ge=0)] = 0,
    unanswered_invitations: Annotated[int, Field(ge=0)] = 0,
    absence_percent: Annotated[float, Field(ge=0, le=100, examples=[5, 10, 15])] = 5.0,
) -> dict[str, int]:
    """Estimate how many guests will come to a party from the replies to the invitations.

    Queries:
        How many people will show up if {accepted_invitations} said yes[, {undecided_guests} said maybe][ and {absence_percent} of the yeses bail]?
        I'm hosting a party and {accepted_invitations} said yes[, {undecided_guests} are still unsure][, {unanswered_invitations} haven't answered]. How many should I plan for?
        Estimate the turnout at my party: {accepted_invitations} accepted[, {unanswered_invitations} never replied][, and {absence_percent} of those who accept usually stay away].
        What head count should I expect if {accepted_invitations} accepted the invitation[ and {unanswered_invitations} never got back to me]?

    Args:
        accepted_invitations: Guests with an accepted invitation
        undecided_guests: Guests in doubt, of whom half are counted
        unanswered_invitations: Guests from whom no reply came, of whom a fifth are counted
        absence_percent: Share of the accepted who stay away after all, in percent

    Returns:
        The guests expected and the most that can come.

    Raises:
        ValueError: If a number of guests is negative or the absence is not 0 to 100 percent.
    """
    replies = (accepted_invitations, undecided_guests, unanswered_invitations)
    _require(min(replies) >= 0, "A number of guests cannot be negative.")
    _require(0 <= absence_percent <= 100, "The absence must be between 0 and 100 percent.")
    likely = accepted_invitations * (1 - absence_percent / 100)
    expected = likely + undecided_guests / 2 + unanswered_invitations / 5
    return {"expected_guests": round(expected), "most_guests": sum(replies)}


def settle_group_expenses(
    expenses: Annotated[list[Expense], Field(min_length=1)], others: list[str] | None = None
) -> dict[str, float | list[dict[str, str | float]]]:
    """Work out who owes whom after a group of friends has shared expenses equally.

    Queries:
        Who owes whom after these costs[, with {others} sharing but paying nothing]: {expenses}
        We split our weekend away evenly[, including {others}, who paid nothing so far]. How do we square up? These are the payments: {expenses}
        Settle our group's spending equally[, counting in {others}, who didn't pay for anything]: {expenses}
        I need to sort out who pays back whom for dinner, drinks and so on. Payments so far: {expenses}

    Args:
        expenses: Expenses with the person who paid
        others: Names of the people who shared but paid nothing

    Returns:
        The total, the share of each person and the payments that settle it.

    Raises:
        ValueError: If there is no expense, a name is empty or repeated, or an amount is out of range.
    """
    _require(bool(expenses), "At least one expense is needed.")
    _require(all(0 < entry["amount"] <= 10_000 for entry in expenses), "Amounts must be above 0 and at most 10000.")
    people = _distinct([*dict.fromkeys(entry["person"].strip() for entry in expenses), *(others or [])])
    balance = dict.fromkeys(people, 0)  # in cents
    for entry in expenses:
        balance[entry["person"].strip()] += round(100 * entry["amount"])
    total = sum(balance.values())
    for index, name in enumerate(people):
        balance[name] -= total // len(people) + (index < total % len(people))  # odd cents: the first few
    payments: list[dict[str, str | float]] = []
    while max(balance.values()) > 0:
        debtor, creditor = min(balance, key=balance.__getitem__), max(balance, key=balance.__getitem__)
        cents = min(-balance[debtor], balance[creditor])
        balance[debtor], balance[creditor] = balance[debtor] + cents, balance[creditor] - cents
        payments.append({"from": debtor, "to": creditor, "amount": cents / 100})
    return {"total": total / 100, "share": round(total / 100 / len(people), 2), "payments": payments}
