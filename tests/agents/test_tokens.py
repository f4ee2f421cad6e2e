"""How many tokens a text is, about: near what the model's own vocabulary makes of it.

The counts are those of `o200k_base`, made once with the package bpe-openai 0.1.4.
"""

import json

import pytest

from app.agents import load_agent
from app.agents.tokens import about_tokens, about_tool_tokens
from app.tools import Toolbox

SAMPLES = {
    "de": (
        119,
        "# Wer du bist\nDu bist die Stimme am Empfang einer kleinen Zahnarztpraxis und spr"
        "ichst am Telefon. Du bist freundlich, ruhig und kurz. Sage Uhrzeiten so, wie Men"
        "schen es tun: „halb acht“, „neun Uhr abends“. Wenn du etwas nicht verstanden has"
        "t, sage es und frage noch einmal nach genau dieser einen Sache. Errate keine Nam"
        "en, Nummern oder Zeiten. Du kannst keine Zahlungen annehmen und keine Rechnungen"
        " ändern; sage das höflich. Wenn jemand in Gefahr ist, bitte ihn, aufzulegen und "
        "den Notruf zu wählen.",
    ),
    "fr": (
        131,
        "# Qui tu es\nTu es la voix de l'accueil d'un petit cabinet dentaire et tu parles "
        "au téléphone. Tu es aimable, calme et brève. Dis les heures comme les gens les d"
        "isent : « sept heures et demie », « neuf heures du soir ». Quand tu n'as pas com"
        "pris quelque chose, dis-le et demande à nouveau cette seule chose. Ne devine ni "
        "les noms, ni les numéros, ni les heures. Tu ne peux pas accepter de paiement ni "
        "modifier de facture ; dis-le gentiment. Si quelqu'un est en danger, demande-lui "
        "de raccrocher et d'appeler les secours.",
    ),
    "es": (
        112,
        "# Quién eres\nEres la voz de la recepción de una pequeña clínica dental y hablas "
        "por teléfono. Eres amable, tranquila y breve. Di las horas como las dice la gent"
        "e: «las siete y media», «las nueve de la noche». Cuando no hayas entendido algo,"
        " dilo y pregunta otra vez por esa única cosa. No adivines nombres, números ni ho"
        "ras. No puedes aceptar pagos ni cambiar facturas; dilo con amabilidad. Si alguie"
        "n está en peligro, pídele que cuelgue y llame a emergencias.",
    ),
    "pl": (
        120,
        "# Kim jesteś\nJesteś głosem recepcji małego gabinetu dentystycznego i rozmawiasz "
        "przez telefon. Jesteś miła, spokojna i zwięzła. Podawaj godziny tak, jak robią t"
        "o ludzie. Kiedy czegoś nie zrozumiesz, powiedz o tym i zapytaj jeszcze raz tylko"
        " o tę jedną rzecz. Nie zgaduj imion, numerów ani godzin. Nie możesz przyjmować p"
        "łatności ani zmieniać faktur; powiedz to uprzejmie.",
    ),
    "ru": (
        92,
        "# Кто ты\nТы голос приёмной небольшой стоматологической клиники и говоришь по тел"
        "ефону. Ты приветлива, спокойна и кратка. Называй время так, как говорят люди. Ес"
        "ли ты чего-то не поняла, скажи об этом и спроси ещё раз только об этом. Не угады"
        "вай имена, номера и время. Ты не можешь принимать оплату и менять счета; скажи о"
        "б этом вежливо.",
    ),
    "el": (
        92,
        "# Ποια είσαι\nΕίσαι η φωνή της υποδοχής ενός μικρού οδοντιατρείου και μιλάς στο τ"
        "ηλέφωνο. Είσαι ευγενική, ήρεμη και σύντομη. Να λες τις ώρες όπως τις λένε οι άνθ"
        "ρωποι. Όταν δεν καταλαβαίνεις κάτι, πες το και ρώτησε ξανά μόνο για αυτό.",
    ),
    "ar": (
        76,
        "# من أنت\nأنت صوت الاستقبال في عيادة أسنان صغيرة وتتحدثين عبر الهاتف. أنت ودودة و"
        "هادئة ومختصرة. قولي الأوقات كما يقولها الناس. عندما لا تفهمين شيئا فقولي ذلك واس"
        "ألي مرة أخرى عن هذا الشيء وحده. لا تخمني الأسماء أو الأرقام أو الأوقات.",
    ),
    "hi": (
        71,
        "# आप कौन हैं\nआप एक छोटे दंत चिकित्सालय के स्वागत कक्ष की आवाज़ हैं और फ़ोन पर बा"
        "त करती हैं। आप मिलनसार, शांत और संक्षिप्त हैं। समय वैसे ही बताएँ जैसे लोग बताते "
        "हैं। जब कुछ समझ में न आए तो कहें और केवल उसी बात को फिर से पूछें।",
    ),
    "zh": (
        86,
        "# 你是谁\n你是一家小型牙科诊所的前台，正在接听电话。你亲切、沉稳、简洁。说时间要像人们"
        "平常那样说。没有听清的时候，就直接说明，并只再问那一件事。不要猜测姓名、号码或时间。你不"
        "能收款，也不能修改账单；请礼貌地说明。",
    ),
    "ja": (
        89,
        "# あなたについて\nあなたは小さな歯科医院の受付で、電話で話しています。親切で、落ち着い"
        "ていて、簡潔です。時刻は人が言うように言ってください。聞き取れなかったときは、そう伝えて"
        "、その一点だけをもう一度尋ねてください。名前や番号や時刻を推測してはいけません。",
    ),
    "ko": (
        65,
        "# 당신은 누구인가\n당신은 작은 치과의 접수 담당자이며 전화로 이야기합니다. 친"
        "절하고 차분하며 간결합니다. 시간은 사람들이 말하는 대로 말하세요. 알아듣지 못"
        "했을 때는 그렇게 말하고 그 한 가지만 다시 물어보세요.",
    ),
    "th": (
        48,
        "# คุณคือใคร\nคุณคือเสียงของแผนกต้อนรับของคลินิกทันตกรรมขนาดเล็กและพูดทางโทรศัพท์ "
        "คุณเป็นมิตร ใจเย็น และพูดสั้น ๆ",
    ),
}
"""Language -> tokens, prompt."""
PROMPT_TOKENS = {"receptionist": 575, "appointments": 805, "support": 704}
"""Of the instructions that ship."""
SCHEMA_TOKENS = 238
"""Of the receptionist's tools as JSON."""


@pytest.mark.parametrize("language", SAMPLES)
def test_a_prompt_in_any_language_is_near(language: str) -> None:
    tokens, prompt = SAMPLES[language]
    assert about_tokens(prompt) == pytest.approx(tokens, rel=0.3)


@pytest.mark.parametrize("name", PROMPT_TOKENS)
def test_an_english_prompt_is_nearer(name: str) -> None:
    agent = load_agent(name)
    assert about_tokens(agent.instructions) == pytest.approx(PROMPT_TOKENS[name], rel=0.1)


def test_schemas_are_as_near() -> None:
    agent = load_agent("receptionist")
    schemas = Toolbox.load(agent.tools, agent.folder).schemas()
    assert about_tool_tokens(schemas) == pytest.approx(SCHEMA_TOKENS, rel=0.1)
    assert about_tool_tokens(schemas) == sum(about_tokens(json.dumps(s)) for s in schemas)


def test_nothing_is_nothing_and_twice_is_twice() -> None:
    assert about_tokens("") == 0
    text = "Be kind.\n" * 100
    assert about_tokens(text * 2) == pytest.approx(2 * about_tokens(text), abs=1)
