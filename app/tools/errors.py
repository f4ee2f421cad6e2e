"""What goes wrong with tools, by whose fault it is."""


class ToolError(Exception):
    """Raise it in a tool to tell the model why it did not work: its text is for the model."""


class ToolLoadError(ValueError):
    """A tool cannot be offered to the model. The text says what to change in its source."""


class ArgumentError(ValueError):
    """The model called a tool with wrong arguments. The text is for the model."""
