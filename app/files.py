"""What operators' files say, loaded and kept fresh: prices, agents, and which of them answers."""

import logging
from collections.abc import Iterator
from pathlib import Path

from app.agents import AgentError
from app.agents.routes import Routes, load_routes, no_such_agent, routes_path
from app.call.facts import CallFacts
from app.call.prices import Prices
from app.observe.log import event
from app.observe.prices import SHIPPED, PriceTable, load_prices
from app.persona import Adjust, Personas, Revise, as_it_is, as_written
from app.reloading import Kept, Watched
from app.rules import headers_trusted
from app.settings import Settings
from app.tools.errors import ToolLoadError

logger = logging.getLogger(__name__)


class Files:
    """Making one raises `PricesError`, or `AgentError` or `ToolLoadError` when an agent that takes
    calls by the settings or by the routes cannot take them."""

    def __init__(
        self, settings: Settings, adjust: Adjust = as_it_is, revise: Revise = as_written
    ) -> None:
        self._prices = Kept(
            "prices",
            lambda: load_prices(settings.prices),
            lambda: [Path(settings.prices) if settings.prices else SHIPPED],
        )
        self.personas = Personas(settings, adjust, self._prices_of, revise)
        self.personas.get(settings.agent)
        path = routes_path(settings.routes)
        self._routes = Kept(
            "routes",
            lambda: self._checked(load_routes(path, must_exist=bool(settings.routes))),
            lambda: [path],
        )

    @property
    def prices(self) -> PriceTable:
        return self._prices.value

    @property
    def routes(self) -> Routes:
        return self._routes.value

    @property
    def watched(self) -> Iterator[Watched]:
        """In the order in which they are to be loaded."""
        yield self._prices
        yield from self.personas.watched
        yield self._routes

    def route(self, facts: CallFacts) -> str:
        """The agent that the routes choose for a call; "": none of them fits."""
        routes = self.routes
        found = routes.find(facts, headers_trusted(routes, facts))
        return found[1].agent if found else ""

    def _prices_of(self, model: str) -> Prices | None:
        return self.prices.prices_for(model)

    def _checked(self, routes: Routes) -> Routes:
        for agent in routes.agents:
            try:
                self.personas.get(agent)
            except (AgentError, ToolLoadError) as error:
                raise no_such_agent(routes, agent, str(error)) from error
        for rule, before in routes.never():
            event(
                logger, logging.WARNING, "a route is never reached", route=rule, because_of=before
            )
        return routes
