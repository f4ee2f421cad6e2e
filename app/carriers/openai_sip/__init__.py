"""OpenAI's SIP connector as a carrier: webhooks that offer calls, REST that takes and ends them.

The sound of such a call never comes here: the model's side holds the telephone.
"""
