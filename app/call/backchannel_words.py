"""What people say while they listen, by language: "mm-hm", "genau", "ah bon".

The choice is our own, from what speakers of these languages say on the telephone. In doubt a word
is left out: an interruption that is taken for listening makes the agent talk over its caller, while
a backchannel that is taken for speech only makes it pause. So nothing is in here that refuses
("nein", French "si"), stops ("moment"), asks ("what", "pardon", "hein"), thanks or greets.
"""

from typing import Final

EVERYWHERE: Final = (
    "mm | mhm | mmhm | mmhmm | mhmm | hm | hmm | (m | mm) (hm | hmm) | m m",
    "aha | ah | oh | uh huh | uhhuh | ok | okay",
)
"""Sounds, as transcripts spell them; understood beside each language's own."""

BACKCHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "yeah | yea | yep | yup | yes | ya | right | alright | all right | sure [thing]",
        "i see | i know | i understand | got it | gotcha | of course | exactly | absolutely",
        "true | thats true | thats right | makes sense | that makes sense | good | great | cool",
        "interesting | really | wow | oh i see",
    ),
    "de": (
        "ja | jaja | jo | joa | jep | genau | gut | sehr gut | schön | klar | alles klar | stimmt",
        "ach so | achso | ach ja | ach | verstehe | ich verstehe | verstanden | richtig",
        "natürlich",
        "das stimmt | in ordnung | passt | sicher | eben | so so | soso | tatsächlich | na klar",
        "oha | prima | super",
    ),
    "fr": (
        "oui | ouais | ouaip | d'accord | daccord | bien sûr | bien | très bien | exactement",
        "voilà | je vois | je comprends | compris | c'est ça | ah bon | bon | entendu",
        "tout à fait",
        "effectivement | en effet | c'est vrai | parfait | super | ça marche | absolument",
    ),
    "es": (
        "sí | vale | claro [que sí] | ya | ya veo | ya entiendo | entiendo | entendido | bueno",
        "bien | muy bien | perfecto | exacto | exactamente | de acuerdo | así es | es verdad",
        "cierto | ajá | ya ya | por supuesto | correcto | genial",
    ),
    "it": (
        "sì | certo | bene | va bene | d'accordo | capisco | ho capito | capito | esatto | giusto",
        "già | ecco | perfetto | vero | è vero | chiaro | esattamente | certamente | benissimo",
        "ottimo",
    ),
    "pt": (
        "sim | tá | tá bom | está bem | está bom | certo | claro | pois | pois é | pois claro",
        "bom",
        "entendo | entendi | percebo | já percebi | exato | exatamente | isso | isso mesmo",
        "muito bem | perfeito | é verdade | verdade | com certeza | beleza | uhum | aham | ótimo",
    ),
    "nl": (
        "ja | jaja | jawel | precies | oké | goed | heel goed | prima | klopt | dat klopt",
        "inderdaad | ik snap het | snap ik | begrepen | ik begrijp het | duidelijk | tuurlijk",
        "natuurlijk | juist | zeker | is goed | ach zo | mooi | top",
    ),
}
