"""Who may be dialled now: windows, the law's hours, holidays, caps, lists, consent. Pure.

    may_dial(person, history, rules, law, now_ms) -> Allowed | NotNow | Never

Not legal advice: `jurisdictions.toml` says where each rule was found, and when. It is read outside
this room, by `app.campaigns.jurisdictions`.
"""
