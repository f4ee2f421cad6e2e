"""How callers ask for a moment, by language.

The choice is our own, from what speakers of these languages say on the telephone. The whole
utterance must be such a wish: some words that lead to it, the wish itself, some that soften it, and
maybe what the caller will do meanwhile. "Hold on, that is wrong" says something else and is no
wish; nor is an amount of time alone ("two minutes"), which answers a question. What the caller
does meanwhile must concern things of their own: "one moment, I'm looking for my card" is a wish,
"one moment, I'm looking for a hotel" is a request.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class HoldWords:
    """Patterns as word_lists.py reads them."""

    leads: tuple[str, ...]
    """May come before the wish, in any number."""
    wishes: tuple[str, ...]
    tails: tuple[str, ...]
    """May come after it, in any number."""
    reasons: tuple[str, ...]
    """What the caller does meanwhile, if it is told: it is complete as it is ..."""
    openers: tuple[str, ...]
    """... or begins so and goes on for some words ..."""
    frames: tuple[tuple[str, str], ...] = ()
    """... or begins and ends so, in languages that put the verb last."""
    you: str = ""
    """Words for the agent: what is said with one of them is said to it, and no such reason."""


_EN_BRIEF = (
    "[very | quick | short | little | brief] (moment | second | sec | minute | min | mo | tick)"
)
_EN_TIME = (
    f"[just] ((a | one | another) {_EN_BRIEF} | (two | a few | a couple [of] | a couple more) "
    "(moments | seconds | secs | minutes | mins | ticks) | a bit | a little | a while)"
)
_EN_PEN = "(a pen | a pencil | some paper | something to write)"
_EN_GET = f"(get | grab | find | fetch | pull up | look for) (my | it | them | {_EN_PEN})"
_EN_CHECK = (
    "(check | look | see | ask | go | search) (my | it | that | in | on | with my | for it | if)"
)
_EN_WRITE = "(write | note | jot | put | type) (it | that | this) down"
_EN_ING = (
    "(getting | grabbing | finding | checking | looking for | looking at | pulling up) (my | it)"
)
_EN_WILL = "(let me | i'll | i will | i'm going to | i'm gonna) [just] [quickly] [go] [and]"

_DE_EIN = "(ein | eine | einen | 'n | ne | nen | noch einen | noch eine)"
_DE_ZEIT = (
    f"[{_DE_EIN}] [ganz] [kurzen | kurze | kleinen | klein | kleines | kleine] "
    "(Moment | Momentchen | Augenblick | Sekunde | Sekündchen | Sek | Minütchen | Momentle)"
)
_DE_LANG = "(eine | ne | ein paar | zwei | noch eine | noch ein paar) (Minute | Minuten | Sekunden)"
_DE_KURZ = "(kurz | mal | eben | schnell | nur | gerade | grad | erst | noch | rasch | mal kurz)"

_DE_MEIN = "(mein | meine | meinen | meinem | meiner)"
_DE_STIFT = "(einen Stift | was zu schreiben | etwas zu schreiben | Papier)"

_FR_TEMPS = (
    "[juste | encore] (un | une) [petit | petite | tout petit | toute petite] "
    "(instant | moment | seconde | minute)"
)
_FR_DEUX = "(deux | quelques | cinq) [petites] (instants | secondes | minutes)"

_FR_MON = "(mon | ma | mes | dans mon | dans ma | dans mes | un stylo | de quoi)"

_ES_TIEMPO = (
    "[solo | sólo | nada más] (un | una | otro) [pequeño] "
    "(momento | momentito | segundo | segundito | minuto | minutito | instante | ratito)"
)
_ES_UNOS = "(unos | dos | un par de) (segundos | minutos | minutitos | segunditos | momentos)"

_ES_BUSCAR = "(buscar | mirar | revisar | comprobar | coger | traer | sacar | preguntar a | ver)"
_ES_MI = "(mi | mis | en mi | en mis | un bolígrafo | un lápiz | papel | algo para)"

_IT_TEMPO = (
    "[solo] un [piccolo] (attimo | attimino | momento | momentino | secondo | secondino | minuto | "
    "minutino | istante)"
)
_IT_DUE = "(due | pochi | un paro di | un paio di) (secondi | minuti)"

_IT_CERCARE = "(cercare | guardare | controllare | prendere | verificare | chiedere a)"
_IT_MIO = "(il mio | la mia | i miei | le mie | mio | mia | una penna | carta e penna | un foglio)"

_PT_TEMPO = (
    "[só | apenas | mais] um [pequeno] (momento | momentinho | segundo | segundinho | minuto | "
    "minutinho | instante | instantinho | bocadinho | pouquinho)"
)
_PT_UNS = "(uns | dois) (segundos | minutos | minutinhos | segundinhos)"

_PT_DEIXA = "([eu] vou | deixa eu | deixe eu | deixe-me | deixa-me)"
_PT_BUSCAR = "(buscar | pegar | procurar | ver | olhar | verificar | perguntar)"
_PT_MEU = (
    "(meu | minha | meus | minhas | o meu | a minha | os meus | as minhas | no meu | na minha | "
    "uma caneta | um papel)"
)

_NL_TIJD = (
    "[nog] [een | één | 'n] [klein | kort] (moment | momentje | ogenblik | ogenblikje | seconde | "
    "secondje | minuutje)"
)
_NL_TWEE = "(een | één | twee | een paar) (minuut | minuten | seconden | tellen | tel)"
_NL_EVEN = "(even | eventjes | effe | eerst | snel | nog | gauw)"
_NL_MIJN = "(mijn | m'n)"

HOLD_WORDS: Final[dict[str, HoldWords]] = {
    "en": HoldWords(
        leads=(
            "oh | ah | uh | um | er | erm | hm | well | so | okay | ok | yes | yeah | yep | sure",
            "alright | all right | sorry | i'm sorry | excuse me | please | hey | actually | just",
            "(can | could | would | will) you | if you could | i need you to | let me | right",
            "can we | do you mind",
        ),
        wishes=(
            f"(hold | hang) on [[for] {_EN_TIME}] | hold [the line] | wait [[for] {_EN_TIME}]",
            f"just [a | one] {_EN_BRIEF} | one {_EN_BRIEF} | a {_EN_BRIEF} please | moment please",
            "just (two | a few | a couple [of]) (seconds | secs | minutes | moments)",
            f"(give | gimme | allow) [me] {_EN_TIME} | i (need | just need) {_EN_TIME}",
            f"bear with me [[for] {_EN_TIME}] | (stay | hold) on the line | don't hang up",
            "[i'll] be right back | i'll be back in [just] a (moment | second | minute | sec)",
            "[i'm | i am] (put | putting | going to put | gonna put) you on hold",
            "can i put you on hold",
        ),
        tails=(
            "please | thanks | thank you | okay | ok | sorry | for me | will you | would you",
            "if you (could | can | would) | if you don't mind | if that's okay | yeah | alright",
            f"i'm sorry | all right | [for] {_EN_TIME}",
        ),
        reasons=(
            f"{_EN_WILL} (think | see | check | look | ask | {_EN_WRITE})",
            f"i (need | have) to [just] {_EN_WRITE} | i'm [just] (thinking | driving | looking)",
            "(someone's | somebody's | there's someone | there's somebody) at the door",
            "(my | the) (other phone | doorbell | phone) [is | just] (ringing | rang)",
            "i (have | got | 've got) (another | a) call [coming in] | i'll be right there",
        ),
        openers=(
            f"{_EN_WILL} ({_EN_GET} | {_EN_CHECK})",
            f"i [just] (need to | have to | gotta | got to) [just] [go] [and] {_EN_GET}",
            f"(i'm | i am) [just | still] {_EN_ING} | while i [just] ({_EN_GET} | {_EN_CHECK})",
        ),
        you="you your yours yourself",
    ),
    "de": HoldWords(
        leads=(
            "ja | ah | äh | ähm | oh | öh | hm | na | ach | also | so | gut | okay | ok | oh ja",
            "gerne",
            "Entschuldigung | Verzeihung | sorry | tut mir leid | bitte | mal | nur | kurz | jetzt",
            "(können | könnten | würden) Sie | (kannst | könntest | würdest) du | hallo | Sie | du",
        ),
        wishes=(
            f"{_DE_ZEIT} [mal | noch] | {_DE_LANG} bitte | halt mal kurz | ganz kurz bitte",
            "(warte | wart | warten | wartet) [Sie]",
            "bin gleich (wieder da | zurück | wieder dran)",
            "(bleiben Sie | bleib | bleibt | bleiben) [bitte | mal | kurz] (dran | am Apparat)",
            "nicht auflegen | (legen Sie | leg) [bitte | jetzt] nicht auf",
            f"(geben Sie | gib | gebt) mir [bitte | mal | noch | kurz] ({_DE_ZEIT} | {_DE_LANG})",
            f"ich brauche [noch | kurz | nur] ({_DE_ZEIT} | {_DE_LANG}) | bin sofort wieder da",
            "ich bin (gleich | sofort) ([wieder] (da | dran | bei Ihnen) | zurück)",
            f"(haben Sie | hab) [bitte | noch] [{_DE_EIN}] (Moment | Augenblick) Geduld",
        ),
        tails=(
            "bitte | mal | kurz | danke | ja | okay | ok | noch | schnell | eben | doch | sorry",
            f"Entschuldigung | Geduld | gell | {_DE_LANG} | einen Moment lang | auf mich",
        ),
        reasons=(
            f"ich (schaue | schau | gucke | guck | sehe | seh | frage | frag) [{_DE_KURZ}] nach",
            "ich (schaue | schau | gucke | guck) [mal] | ich (überlege | überleg) [kurz | mal]",
            "(da | es) ist jemand an der Tür | es klingelt [gerade | an der Tür]",
        ),
        openers=(
            f"ich (suche | such | hole | hol) [{_DE_KURZ}] ({_DE_MEIN} | {_DE_STIFT} | es | ihn)",
            f"ich (schaue | schau | guck | frage | frag) [{_DE_KURZ}] (in | im | {_DE_MEIN})",
            "ich (schreibe | schreib | notiere | notier) [mir] (das | es) | ich hab es gleich",
            f"ich (suche | such | hole | hol | schaue | schau | gehe | geh | frag) {_DE_KURZ}",
        ),
        frames=(
            (
                f"ich (muss | will | möchte) [{_DE_KURZ}] ({_DE_KURZ} | {_DE_MEIN} | {_DE_STIFT})",
                "holen | suchen | schauen | gucken | nachsehen | nachschauen | finden |"
                " heraussuchen | raussuchen | aufschreiben | überlegen | fragen",
            ),
        ),
        you="ihnen ihr ihre ihren ihrem ihrer du dir dich dein deine deinen",
    ),
    "fr": HoldWords(
        leads=(
            "oui | ah | oh | euh | heu | alors | ok | okay | bon | ben | bah | pardon | d'accord",
            "et",
            "excusez-moi | excuse-moi | désolé | désolée | juste | est-ce que | s'il vous plaît",
            "vous pouvez | pouvez-vous | pourriez-vous | tu peux | peux-tu | veuillez | merci de",
        ),
        wishes=(
            f"{_FR_TEMPS} | {_FR_DEUX} s'il vous plaît | {_FR_DEUX} s'il te plaît",
            f"juste {_FR_DEUX}",
            "deux secondes | minute | (attendez | attends | attendre) [voir | un peu | moi]",
            "(patientez | patiente | patienter) [un peu] | [ne] (quittez | quitte | quitter) pas",
            "[ne] (raccrochez | raccroche) pas | ne pas (raccrocher | quitter)",
            "(restez | reste | rester) en ligne | je reviens [tout de suite | vite]",
            f"(laissez | donnez | laisse | donne | accordez)-moi ({_FR_TEMPS} | {_FR_DEUX})",
            "j'ai besoin (d'un instant | d'une minute | d'un moment | d'une seconde)",
            "je suis à vous (tout de suite | dans un instant)",
        ),
        tails=(
            "s'il vous plaît | s'il te plaît | svp | stp | merci | d'accord | ok | okay | désolé",
            f"désolée | pardon | {_FR_TEMPS} | {_FR_DEUX} | quelques instants | un peu",
        ),
        reasons=(
            "je (cherche | regarde | vérifie | note | réfléchis) [ça]",
            "je vais (regarder | voir | vérifier | noter) [ça]",
            "(on | quelqu'un) sonne [à la porte]",
            "[le temps] que je (regarde | vérifie | note | réfléchisse) [ça]",
            "(laissez | laisse)-moi (regarder | voir | vérifier | réfléchir | noter) [ça]",
        ),
        openers=(
            f"je (cherche | prends | retrouve | récupère | vérifie | regarde) {_FR_MON}",
            f"je (vais | dois) [juste] [aller] (chercher | prendre | regarder) {_FR_MON}",
            f"[le temps] que je (cherche | prenne | trouve | regarde | vérifie) {_FR_MON}",
            f"(laissez | laisse)-moi (chercher | prendre | regarder | vérifier) {_FR_MON}",
        ),
        you="vous votre vos tu te ton ta tes",
    ),
    "es": HoldWords(
        leads=(
            "sí | ah | oh | eh | este | bueno | vale | ok | okay | a ver | perdón | perdone",
            "perdona",
            "disculpe | disculpa | por favor | solo | puede | podría | puedes | podrías | oiga",
            "mire",
            "pues | claro | y | me (puede | podría | puedes) | si puede",
        ),
        wishes=(
            f"{_ES_TIEMPO} | {_ES_UNOS} por favor | (momento | momentito | segundo) por favor",
            "(espere | espera | esperen | esperad | esperar) [un poco | ahí | tantito]",
            "(espéreme | espérame | esperarme | espérenme) [un poco | tantito] | un poquito",
            "no (cuelgue | cuelgues | cuelguen | se retire | te retires) | permítame [un momento]",
            "(manténgase | mantente | permanezca | quédese) en [la] línea | aguarde | aguarda",
            f"(deme | dame | me da | me das) ({_ES_TIEMPO} | {_ES_UNOS}) | (ahora | ya) vuelvo",
            "enseguida vuelvo | vuelvo enseguida | ahorita vuelvo | ahorita regreso",
            f"(necesito | déjeme | déjame) ({_ES_TIEMPO} | {_ES_UNOS})",
        ),
        tails=(
            "por favor | porfa | porfavor | gracias | vale | ok | okay | sí | perdón | perdone",
            "eh",
            f"perdona | ahí | nada más | {_ES_TIEMPO} | {_ES_UNOS} | un poco | que",
        ),
        reasons=(
            "(voy a | déjame | déjeme | deja que) (ver | mirar | pensar | revisar | comprobar)",
            "[lo | la | los | las] (busco | miro | reviso | compruebo | anoto | apunto)",
            "(llaman | tocan | están (llamando | tocando)) ([a] la puerta | al timbre)",
        ),
        openers=(
            f"(voy a | tengo que | déjame | déjeme) {_ES_BUSCAR} {_ES_MI}",
            f"(estoy | ando) (buscando | mirando | revisando | comprobando) {_ES_MI}",
            f"(busco | miro | reviso | compruebo | cojo | traigo) {_ES_MI}",
        ),
        you="usted ustedes te tu tus contigo ti",
    ),
    "it": HoldWords(
        leads=(
            "sì | ah | oh | eh | ehm | allora | ok | okay | scusi | scusa | mi scusi | per favore",
            "solo | può | potrebbe | puoi | potresti | bene | guardi | va bene | certo | mi",
            "se può",
        ),
        wishes=(
            f"{_IT_TEMPO} | solo {_IT_DUE} | {_IT_DUE} per favore | due secondi | attimo",
            "(aspetti | aspetta | aspettate | aspettare | aspettami | attenda | attendere)",
            "(resti | resta | rimanga | rimani | restare | rimanere) in linea | abbia pazienza",
            "non (riattacchi | riattaccare | riagganci | riagganciare | metta giù | mettere giù)",
            f"(mi dia | dammi | mi dai | mi lasci | lasciami) ({_IT_TEMPO} | {_IT_DUE})",
            f"(torno | arrivo) subito | sono subito da lei | mi serve {_IT_TEMPO}",
        ),
        tails=(
            "per favore | per piacere | per cortesia | grazie | ok | okay | scusi | scusa | eh",
            f"solo | {_IT_TEMPO} | {_IT_DUE} | un po' | in linea | che",
        ),
        reasons=(
            "(fammi | mi faccia | mi lasci | lasciami) (vedere | guardare | pensare | controllare)",
            "[lo | la | li | le] (cerco | guardo | controllo | verifico | scrivo) [subito]",
            "(suonano | hanno suonato | stanno suonando) (alla porta | al citofono)",
        ),
        openers=(
            f"(devo | vado a | fammi | mi faccia | mi lasci) {_IT_CERCARE} {_IT_MIO}",
            f"sto (cercando | guardando | controllando | prendendo | verificando) {_IT_MIO}",
            f"(cerco | guardo | controllo | prendo | verifico) {_IT_MIO}",
        ),
        you="tu ti te tuo tua suo sua vi",
    ),
    "pt": HoldWords(
        leads=(
            "sim | ah | oh | eh | hum | então | ok | okay | tá | bom | olha | olhe | desculpa",
            "claro",
            "desculpe | por favor | só | pode | podia | poderia | você pode | dá para | me",
            "tudo bem",
            "se puder | é",
        ),
        wishes=(
            f"{_PT_TEMPO} | só {_PT_UNS} | {_PT_UNS} por favor | momentinho | peraí | pera aí",
            "pera",
            "(espera | espere | esperar | aguarde | aguarda | aguardar | espera aí | espere aí)",
            "não (desligue | desliga | desligues | desligar) | já volto | volto já | já venho",
            "(fique | fica | ficar | aguarde) [aí] (na linha | em linha)",
            f"(me dê | me dá | dê-me | dá-me | preciso de) ({_PT_TEMPO} | {_PT_UNS})",
        ),
        tails=(
            "por favor | se faz favor | faz favor | obrigado | obrigada | tá | tá bom | ok | okay",
            f"aí | um pouco | um pouquinho | só | viu | desculpe | desculpa | {_PT_TEMPO} | que",
            "sim",
        ),
        reasons=(
            f"{_PT_DEIXA} (ver | olhar | pensar | verificar)",
            "(estão tocando | tocaram | estão batendo) (a campainha | na porta | à porta)",
        ),
        openers=(
            f"{_PT_DEIXA} [só] [ir] {_PT_BUSCAR} {_PT_MEU}",
            f"[eu] (tenho que | tenho de | preciso) [só] [ir] {_PT_BUSCAR} {_PT_MEU}",
            f"[eu] (estou | tô) (procurando | olhando | vendo | pegando | a ver) {_PT_MEU}",
        ),
        you="você vocês te ti contigo teu tua",
    ),
    "nl": HoldWords(
        leads=(
            "ja | oh | ah | eh | uh | uhm | ehm | nou | oké | ok | okay | sorry | even",
            "heel even | pardon",
            "(kunt | kan | zou | wilt) u | (kun | kan | zou | wil) je | alstublieft | goed",
            "alleen",
            "u | je | mag ik",
        ),
        wishes=(
            f"{_NL_TIJD} | {_NL_TWEE} (alstublieft | alsjeblieft | graag) | nog even",
            "(wacht | wachten | wacht u) [eens | maar] | even (geduld | wachten)",
            "een momentje geduld",
            "(blijf | blijft | blijven) [u | je] [even | nog even] (aan de lijn | hangen)",
            "niet ophangen | (hang | hangt u) [alstublieft | nog] niet op | [ik] ben zo terug",
            "zo terug",
            f"(geef | geeft u) (me | mij) [even] ({_NL_TIJD} | {_NL_TWEE}) | ik kom zo terug",
            f"(heeft u | heb je) {_NL_TIJD} [geduld] | ik heb {_NL_TIJD} nodig",
        ),
        tails=(
            "alstublieft | alsjeblieft | aub | graag | hoor | dank u [wel] | dank je [wel]",
            "bedankt",
            f"even | ja | oké | ok | okay | sorry | eventjes | geduld | {_NL_TIJD} | {_NL_TWEE}",
        ),
        reasons=(
            f"ik (kijk | check | vraag | zoek) [het] {_NL_EVEN} [na | op]",
            "de (bel | deurbel) gaat | er (staat | is) iemand (aan | voor) de deur",
        ),
        openers=(
            f"ik (pak | zoek | haal | check | vraag) [{_NL_EVEN}] ({_NL_MIJN} | een pen)",
            f"ik kijk [{_NL_EVEN}] in {_NL_MIJN} | ik schrijf (het | dat) | ik heb het zo",
        ),
        frames=(
            (
                f"ik (moet | wil | ga) [{_NL_EVEN}] ({_NL_EVEN} | {_NL_MIJN} | een pen)",
                "pakken | zoeken | kijken | halen | opzoeken | nakijken | checken | vragen |"
                " opschrijven | nadenken",
            ),
        ),
        you="u uw je jij jou jouw",
    ),
}
