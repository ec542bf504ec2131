"""Word lists, folded (see `text.fold`)."""


def _words(text: str) -> list[str]:
    return text.split()


STOPWORDS = frozenset(
    _words("""
    a about above after again against all also although am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further had has have
    having he her here hers him his how i if in into is it its just me more most my of off on once only or other
    our out over own same she should so some such than that the their them then there these they this those
    through to too under until up us very was we were what when where which while who whom why will with would
    you your yes yeah well oh maybe actually however anyway yet isnt arent wasnt werent dont doesnt didnt cant
    couldnt wont wouldnt shouldnt hasnt havent hadnt aint im ive youre theyre thats
    """)
)
"""Words that carry no claim."""

NEGATIONS = frozenset(_words("not never no cannot none neither nor without nt"))

NEVER_NAMES = STOPWORDS | frozenset(
    _words("""
    ok okay tv ai lol omg pm am ceo cfo cto dvd faq diy ad bc bce mr mrs ms miss dr sir lord lady king queen
    president prof professor god internet web email online ps nb wow haha hey hi hello thanks thank please sorry
    love not never really lot great sure right let lets got get like know think wonder true agree guess mean say
    said even still ever much many new first last next two three dad mom mum christmas easter english figure
    table section note json api url id sql html pdf csv http https
    """)
)
"""Words capitalised by custom or for emphasis, not because they name something the evidence would have to hold."""

NAME_CONNECTORS = frozenset(_words("of the de da di del della van von der den la le el al bin for &"))
"""Words in small letters that may stand inside a name."""

ABBREVIATIONS = frozenset(
    _words("""
    mr mrs ms dr prof st sgt capt lt col gen rev hon jr sr vs etc inc ltd co corp dept no nos vol pp fig approx
    est jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e a.m p.m u.s u.k ca cf
    """)
)
"""Words whose full stop does not end a sentence."""

NUMBER_ONES = _words("""
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen
""")
NUMBER_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
NUMBER_ORDINALS = _words("""
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth
""")
WEEKDAY_NAMES = _words("monday tuesday wednesday thursday friday saturday sunday")
