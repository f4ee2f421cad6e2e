"""How callers say that they need help at once, by language, as app.call.word_lists reads patterns.

The choice is our own. Each phrase says that something is so now, or asks for help; a word alone
("fire", "police", "ambulance") says neither.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from app.call.word_lists import Phrases, plain_words

_EN_WHO: Final = (
    "(my | the | a | our | his | her) [old | little] (husband | wife | mother | mom | mum |"
    " father | dad | son | daughter | baby | child | kid | friend | brother | sister | neighbour |"
    " neighbor | grandmother | grandfather | partner | boyfriend | girlfriend | colleague | man |"
    " woman)"
)
_EN_SOMEONE: Final = f"({_EN_WHO} | he | she | someone | somebody)"
_DE_WER: Final = (
    "((mein | meine | unser | unsere | der | die | das) (Mann | Frau | Mutter | Vater | Sohn |"
    " Tochter | Kind | Baby | Freund | Freundin | Bruder | Schwester | Nachbar | Nachbarin | Oma |"
    " Opa | Kollege | Kollegin) | er | sie | jemand)"
)

_Patterns: TypeAlias = Mapping[str, tuple[str, ...]]
"""By language."""

_MEDICAL: Final[_Patterns] = {
    "en": (
        "(i | we) [really | urgently] need an ambulance | (send | call) [me | us] an ambulance",
        "(i | we) need you to (send | call) an ambulance",
        "i'm having a (heart attack | stroke) | i am having a (heart attack | stroke)",
        f"{_EN_SOMEONE} is having a (heart attack | stroke | seizure)",
        f"{_EN_SOMEONE} (isn't | is not | has stopped | stopped) breathing",
        f"{_EN_SOMEONE} is unconscious | {_EN_SOMEONE} (has | just) collapsed",
        "he's not breathing | she's not breathing | he's unconscious | she's unconscious",
        "i can't breathe | i cannot breathe | i'm bleeding (badly | heavily | to death)",
        f"{_EN_SOMEONE} is (choking | dying | bleeding (badly | heavily | to death))",
        f"{_EN_SOMEONE} (overdosed | has overdosed | took an overdose)",
    ),
    "de": (
        "(ich | wir) (brauche | brauchen) [dringend | sofort] (einen | ein) (Krankenwagen |"
        " Rettungswagen | Notarzt)",
        "(schicken | rufen) Sie [bitte | sofort | schnell] (einen | den) (Krankenwagen |"
        " Rettungswagen | Notarzt)",
        "ich habe (einen | gerade einen) (Herzinfarkt | Schlaganfall)",
        f"{_DE_WER} hat (einen | gerade einen) (Herzinfarkt | Schlaganfall)",
        f"{_DE_WER} (atmet nicht [mehr] | ist bewusstlos | ist ohnmächtig | ist zusammengebrochen)",
        f"{_DE_WER} bekommt keine Luft | ich bekomme keine Luft [mehr] | ich kriege keine Luft",
        "ich verblute",
    ),
    "fr": (
        "(j'ai | on a | nous avons) besoin d'une ambulance | (envoyez | appelez) [vite] (une |"
        " l') ambulance | (envoyez | appelez) (moi | nous) une ambulance | appelez le samu",
        "je fais (une crise cardiaque | un infarctus | un avc)",
        "(il | elle | ma mère | mon père | mon mari | ma femme | mon fils | ma fille | mon bébé)"
        " (ne respire plus | respire plus | est inconscient | est inconsciente | fait une crise"
        " cardiaque | fait un infarctus | fait un avc)",
        "je n'arrive plus à respirer | je ne peux plus respirer",
    ),
    "es": (
        "(necesito | necesitamos) una ambulancia | (manden | envíen | llame a | llamen a) una"
        " ambulancia",
        "(estoy | está) (teniendo | sufriendo) un (infarto | ataque al corazón | derrame)",
        "me está dando un infarto | no puedo respirar",
        "(él | ella | mi madre | mi padre | mi marido | mi esposo | mi mujer | mi esposa |"
        " mi hijo | mi hija | mi bebé | alguien) (no respira | está inconsciente |"
        " se ha desmayado)",
    ),
    "it": (
        "(ho | abbiamo) bisogno di (un'ambulanza | un ambulanza) | (mandate | chiamate | chiami)"
        " [subito] (un'ambulanza | un ambulanza)",
        "(sto avendo | ho) un infarto | non riesco a respirare | non respiro più",
        "(lui | lei | mia madre | mio padre | mio marito | mia moglie | mio figlio | mia figlia |"
        " qualcuno) (non respira [più] | ha perso conoscenza | è svenuto | è svenuta)",
    ),
    "pt": (
        "(preciso | precisamos) de uma ambulância | (mandem | mande | chamem | chame) uma"
        " ambulância",
        "(estou | está) (a ter | tendo) um (enfarte | infarto | avc | ataque cardíaco)",
        "não consigo respirar",
        "(ele | ela | minha mãe | meu pai | meu marido | minha mulher | meu filho | minha filha |"
        " alguém) (não respira | não está respirando | não está a respirar | está inconsciente |"
        " desmaiou)",
    ),
    "nl": (
        "(ik heb | we hebben | wij hebben) [dringend | nu] een ambulance nodig | (stuur | bel)"
        " [snel | meteen | alstublieft] een ambulance",
        "ik heb een (hartaanval | beroerte) | ik krijg geen lucht [meer]",
        "(hij | zij | ze | mijn moeder | mijn vader | mijn man | mijn vrouw | mijn zoon | mijn"
        " dochter | iemand) (ademt niet [meer] | is bewusteloos | is buiten bewustzijn)",
    ),
}
_FIRE: Final[_Patterns] = {
    "en": (
        "(my | the | our) (house | flat | apartment | kitchen | building | home) is on fire",
        "there's a fire (in | at) (my | the | our) | there is a fire (in | at) (my | the | our)",
        "(call | send) the fire (brigade | department | service) | i smell gas",
    ),
    "de": (
        "(mein | das | unser) (Haus | Zimmer | Gebäude) brennt",
        "(meine | die | unsere) (Wohnung | Küche) brennt | es brennt (bei | in | im | hier)",
        "(rufen | schicken) Sie [bitte | sofort | schnell] die Feuerwehr | hier riecht es nach Gas",
    ),
    "fr": (
        "(ma | la | notre) (maison | cuisine) (brûle | est en feu) | (mon | l' | notre)"
        " (appartement | immeuble) (brûle | est en feu)",
        "il y a le feu | (appelez | envoyez) les pompiers",
    ),
    "es": (
        "(mi | la | nuestra) (casa | cocina) (está en llamas | se está quemando | está ardiendo)",
        "hay (un incendio | fuego) en (mi | la) | (llame | llamen | manden) a los bomberos",
    ),
    "it": (
        "(la | la mia) (casa | cucina) (è in fiamme | sta bruciando | va a fuoco)",
        "c'è un incendio (in | nella | a) | (chiamate | chiami | mandate) i (pompieri | vigili del"
        " fuoco)",
    ),
    "pt": (
        "(a minha | minha | a) (casa | cozinha) está (a arder | em chamas | pegando fogo)",
        "há um incêndio (na | em) | (chame | chamem | mandem) os bombeiros",
    ),
    "nl": (
        "(mijn | het | ons) (huis | gebouw | keuken) staat in brand | er is brand (in | bij)",
        "(bel | stuur) [snel | meteen] de brandweer",
    ),
}
_POLICE: Final[_Patterns] = {
    "en": (
        "(i | we) need you to call the police",
        "(call | send) the police | (someone | somebody | he | she) is (breaking into | trying to"
        " kill | attacking | going to kill)",
        "(he | she | someone | somebody) has [got] a (gun | knife)",
        "there's (someone | somebody | a burglar) in my (house | flat | apartment)",
        "i'm being (attacked | followed | robbed) | i've been (stabbed | shot | kidnapped)",
    ),
    "de": (
        "(rufen | schicken) Sie [bitte | sofort | schnell] die Polizei",
        "(jemand | er | sie) (bricht gerade ein | bedroht mich | greift mich an | hat ein Messer |"
        " hat eine (Pistole | Waffe))",
        "ich werde (gerade | jetzt) (überfallen | verfolgt | bedroht | angegriffen)",
        "(ein Einbrecher | jemand) ist in (meiner Wohnung | meinem Haus)",
    ),
    "fr": (
        "(appelez | envoyez) la police | (on | il | elle) (m'attaque | me menace | veut me tuer)",
        "(il | elle | quelqu'un) a (un couteau | une arme | un pistolet)",
        "il y a (quelqu'un | un voleur) (dans ma maison | chez moi)",
    ),
    "es": (
        "(llame | llamen | manden) a la policía | me están (atacando | robando | siguiendo)",
        "(alguien | él | ella) (me quiere matar | quiere matarme | tiene (un cuchillo | una pistola"
        " | un arma))",
        "hay (alguien | un ladrón) en mi casa",
    ),
    "it": (
        "(chiamate | chiami | mandate) (la polizia | i carabinieri) | mi stanno (aggredendo |"
        " seguendo | rapinando)",
        "(ha | qualcuno ha) (un coltello | una pistola) | c'è (qualcuno | un ladro) in casa mia",
    ),
    "pt": (
        "(chame | chamem | mandem) a polícia | estão a (atacar | roubar | seguir) me | estão me"
        " (atacando | roubando | seguindo)",
        "(ele | ela | alguém) tem uma (faca | arma | pistola) | há alguém na minha casa",
    ),
    "nl": (
        "(bel | stuur) [snel | meteen | alstublieft] de politie",
        "(hij | zij | ze | iemand) (heeft een (mes | pistool) | valt me aan | bedreigt me)",
        "er is (iemand | een inbreker) in mijn huis",
    ),
}
_SELF_HARM: Final[_Patterns] = {
    "en": (
        "i (want | am going | plan) to (kill myself | end my life | die | take my life)",
        "i wanna (kill myself | die) | i'm going to kill myself | i'm gonna kill myself",
        "i (took | 've taken | have taken) (all my | too many) (pills | tablets) | i'm suicidal",
    ),
    "de": (
        "ich (will | möchte | werde) (mich umbringen | mir das Leben nehmen | nicht mehr leben |"
        " sterben)",
        "ich bringe mich um | ich habe (alle | zu viele) Tabletten (genommen | geschluckt)",
    ),
    "fr": (
        "je (veux | vais) (me tuer | mourir | me suicider | en finir)",
        "je n'ai plus envie de vivre",
        "j'ai (pris | avalé) trop de (médicaments | cachets)",
    ),
    "es": (
        "(quiero | voy a) (matarme | morir | suicidarme | quitarme la vida) | me quiero (matar |"
        " morir)",
        "he tomado demasiadas pastillas",
    ),
    "it": (
        "(voglio | sto per) (uccidermi | morire | suicidarmi | farla finita | togliermi la vita)",
        "mi voglio (uccidere | ammazzare) | ho preso troppe pastiglie",
    ),
    "pt": (
        "(quero | vou) (matar me | me matar | morrer | suicidar me | acabar com a minha vida)",
        "tomei demasiados comprimidos | tomei comprimidos demais",
    ),
    "nl": (
        "ik (wil | ga) (mezelf doden | mezelf van kant maken | dood | niet meer leven | zelfmoord"
        " plegen)",
        "ik maak er een eind aan | ik heb te veel pillen (genomen | geslikt)",
    ),
}
_UNSPECIFIED: Final[_Patterns] = {
    "en": ("this is an emergency | it's an emergency | (it | this) is a matter of life and death",),
    "de": ("(das | dies | es) ist ein Notfall | es geht um Leben und Tod",),
    "fr": ("c'est une urgence (vitale | médicale) | c'est une question de vie ou de mort | au"
           " secours",),
    "es": ("esto es una emergencia | es una emergencia | es cuestión de vida o muerte | socorro",),
    "it": ("(questa | questo) è un'emergenza | è un'emergenza | è questione di vita o di morte",),
    "pt": ("(isto | isso) é uma emergência | é uma emergência | é uma questão de vida ou morte",),
    "nl": ("(dit | het) is een noodgeval | het is een kwestie van leven en dood",),
}  # fmt: skip

_NUMBERS: Final = (
    "911 | 9 11 | 9 1 1 | nine one one | nine eleven | 112 | 1 1 2 | one one two | 999 | 9 9 9 |"
    " nine nine nine"
)
_NUMBERS_OF: Final[Mapping[str, str]] = {
    "en": f"{_NUMBERS} | triple zero | triple nine",
    "de": f"{_NUMBERS} | 110 | eins eins zwei | eins eins null | hundertzwölf",
    "fr": f"{_NUMBERS} | le (15 | 17 | 18) | cent douze",
    "es": f"{_NUMBERS} | 061 | 062 | 080 | ciento doce | uno uno dos",
    "it": f"{_NUMBERS} | 113 | 115 | 118 | uno uno due | centododici",
    "pt": f"{_NUMBERS} | 190 | 192 | 193 | cento e doze",
    "nl": f"{_NUMBERS} | een een twee",
}
_DIAL: Final[Mapping[str, str]] = {
    "en": "(call | dial | phone | ring | get me) [me]",
    "de": "(rufen Sie | ruf | wählen Sie | wähl) [bitte | sofort | schnell] [die | den]",
    "fr": "(appelez | faites | composez) [vite] [le]",
    "es": "(llame | llamen | llama | marque) [al]",
    "it": "(chiamate | chiami | chiama | fate) [il]",
    "pt": "(ligue | liguem | liga | chame) [para] [o]",
    "nl": "(bel | belt u) [snel | meteen]",
}


def _read(patterns: _Patterns) -> dict[str, Phrases]:
    return {language: Phrases(*texts) for language, texts in patterns.items()}


PHRASES: Final[Mapping[str, Mapping[str, Phrases]]] = {
    "medical": _read(_MEDICAL),
    "fire": _read(_FIRE),
    "police": _read(_POLICE),
    "self_harm": _read(_SELF_HARM),
    "unspecified": _read(_UNSPECIFIED),
}
"""By the names of `EmergencyKind`."""
DIALS: Final = {
    language: Phrases(f"{_DIAL[language]} ({text})") for language, text in _NUMBERS_OF.items()
}
"""Somebody is asked to dial it."""

_TAKEN_BACK: Final[Mapping[str, str]] = {
    "en": (
        "not don't didn't doesn't wouldn't never if when whether should shouldn't unless suppose"
        " pretend imagine joking kidding to I'll will gonna movie film book"
    ),
    "de": "nicht kein keine keinen nie wenn falls ob sollte als Film Buch Spaß",
    "fr": "pas ne jamais si quand lorsque film livre blague",
    "es": "no nunca si cuando película libro broma",
    "it": "non mai se quando film libro scherzo",
    "pt": "não nunca se quando filme livro brincadeira",
    "nl": "niet geen nooit als wanneer indien film boek grapje",
}
_SPOKEN_OF: Final[Mapping[str, str]] = {
    "en": "laughing insurance drill ago yesterday bill invoice service ride exhibition",
    "de": "Versicherung Übung gestern Rechnung nicht",
    "fr": "assurance exercice hier facture",
    "es": "seguro simulacro ayer factura",
    "it": "assicurazione esercitazione ieri fattura",
    "pt": "seguro simulacro ontem fatura",
    "nl": "verzekering oefening gisteren rekening",
}


def _words(texts: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {language: frozenset(plain_words(text)) for language, text in texts.items()}


BLOCKED_BEFORE: Final = _words(_TAKEN_BACK)
"""Words shortly before a phrase that take it back."""
BLOCKED_AFTER: Final = _words(_SPOKEN_OF)
"""Words right after it that show that it is only spoken of."""
