"""Parts that hear and speak beside the model."""
