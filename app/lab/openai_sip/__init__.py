"""OpenAI's SIP connector as its customers see it: webhooks, REST and the sideband socket."""
