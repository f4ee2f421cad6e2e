"""`earshot agents`"""

import click

from app.agents import agent_files, load_agent
from app.cli.failure import told_plainly
from app.tools.toolbox import Toolbox


@click.command("agents")
@click.argument("names", nargs=-1)
def command(names: tuple[str, ...]) -> None:
    """List the agents, or check the named ones (names or TOML files)."""
    with told_plainly():
        for name in names or agent_files():
            agent = load_agent(name)
            tools = ", ".join(Toolbox.load(agent.tools, agent.folder).names) or "no tools"
            click.echo(
                f"{agent.name:<16} {agent.voice:<8} {agent.model or 'default model'}  {tools}"
            )
