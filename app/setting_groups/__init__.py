"""The operator's settings by what they are about; `app.settings.Settings` is all of them."""
