"""What all groups of settings have in common."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingGroup(BaseSettings):
    """Immutable; each field says by its docstring what it is for."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True
    )
