"""The bound on requests: halves once for each crowd, grows back, serves in order."""

import asyncio

from data_pipeline.llm.limit import AdaptiveLimit


async def fill(limit: AdaptiveLimit, count: int) -> list[int]:
    return [await limit.start() for _ in range(count)]


def test_no_more_start_than_allowed_and_waiters_in_order() -> None:
    async def go() -> list[str]:
        limit, order = AdaptiveLimit(2), list[str]()

        async def work(name: str, again: bool = False) -> None:
            await limit.start(again)
            order.append(name)
            await asyncio.sleep(0)
            limit.finish()

        await fill(limit, 2)
        tasks = [asyncio.create_task(work(name)) for name in ("a", "b", "c")]
        tasks.append(asyncio.create_task(work("repeated", again=True)))
        await asyncio.sleep(0)
        assert order == []
        limit.finish()
        limit.finish()
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(go()) == ["repeated", "a", "b", "c"]


def test_a_crowd_that_is_refused_halves_once() -> None:
    async def go() -> list[int]:
        limit, seen = AdaptiveLimit(64), list[int]()
        places = await fill(limit, 64)
        for place in places:
            limit.overloaded(place)
            limit.finish()
        seen.append(limit.limit)
        (place,) = await fill(limit, 1)
        limit.overloaded(place)
        return [*seen, limit.limit]

    assert asyncio.run(go()) == [32, 16]


def test_it_never_falls_below_one() -> None:
    async def go() -> int:
        limit = AdaptiveLimit(4)
        for _ in range(10):
            limit.overloaded(await limit.start())
            limit.finish()
        return limit.limit

    assert asyncio.run(go()) == 1


def test_it_grows_quickly_to_where_it_was_too_high_then_slowly_then_stops() -> None:
    async def go() -> list[int]:
        limit = AdaptiveLimit(200)
        limit.overloaded(await limit.start())
        found = [limit.limit]
        for successes in (90, 190, 100_000):
            for _ in range(successes):
                limit.succeeded()
            found.append(limit.limit)
        return found

    halved, quick, slow, most = asyncio.run(go())
    assert (halved, quick, most) == (100, 190, 200)
    assert slow in (190, 191)


def test_who_gives_up_waiting_takes_no_place() -> None:
    async def go() -> None:
        limit = AdaptiveLimit(1)
        await limit.start()
        waiting = [asyncio.create_task(limit.start()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        limit.finish()  # the place goes to the second, who is cancelled before it can take it
        waiting[1].cancel()
        await asyncio.wait_for(waiting[2], 1)
        assert [task.cancelled() for task in waiting] == [True, True, False]
        limit.finish()
        await asyncio.wait_for(limit.start(), 1)

    asyncio.run(go())
