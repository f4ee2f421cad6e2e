"""Who talks: adapters for speech-to-speech models."""
