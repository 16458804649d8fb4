"""The decorators: the gate is asked before a function may begin."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import aclosing
from functools import wraps
from typing import Any, TypeVar, cast

Call = Callable[[tuple[object, ...], dict[str, object]], str]
Function = TypeVar("Function", bound=Callable[..., Any])
Lasting = TypeVar("Lasting", bound=Callable[..., Awaitable[Any] | AsyncIterator[Any]])


def for_threads(function: Function, subject: str, ask: Callable[[str], object]) -> Function:
    """`function`, which `ask` may keep from beginning: a generator's body begins when it is first
    gone on with. Raises TypeError for a function that needs asyncio."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError("a coroutine function is guarded by an AsyncGate")
    who = argument(function, subject)

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        ask(who(args, kwargs))
        return function(*args, **kwargs)

    @wraps(function)
    def begun(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        ask(who(args, kwargs))
        return (yield from function(*args, **kwargs))

    return cast(Function, begun if inspect.isgeneratorfunction(function) else guarded)


def for_asyncio(
    function: Lasting, subject: str, ask: Callable[[str], Awaitable[object]]
) -> Lasting:
    """The same for a coroutine function or an asynchronous generator function. Raises TypeError for
    one that is neither: it would run before anybody could wait for the answer."""
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        raise TypeError("a function that is no coroutine function is guarded by a Gate")
    who = argument(function, subject)

    @wraps(function)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        await ask(who(args, kwargs))
        return await cast(Awaitable[Any], function(*args, **kwargs))

    @wraps(function)
    async def begun(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        await ask(who(args, kwargs))
        async with aclosing(cast(Any, function(*args, **kwargs))) as items:
            async for item in items:
                yield item

    return cast(Lasting, begun if inspect.isasyncgenfunction(function) else guarded)


def argument(function: Callable[..., object], name: str) -> Call:
    """Finds the argument of that name in a call. Raises TypeError if the function has none."""
    signature = inspect.signature(function)
    if name not in signature.parameters:
        raise TypeError(f"{function.__qualname__} has no argument {name!r}")

    def found(args: tuple[object, ...], kwargs: dict[str, object]) -> str:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return given.arguments[name]  # type: ignore[no-any-return]

    return found
