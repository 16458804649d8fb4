from starlette.routing import BaseRoute, Mount


def routes(stage) -> list[BaseRoute]:
    return [Mount("/telegram", stage.world.telegram.app)]
