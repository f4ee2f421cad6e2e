"""Where a call goes when it leaves the model: people, a menu, a voicemail, and back. No I/O."""
