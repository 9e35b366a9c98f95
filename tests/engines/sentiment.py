"""Thirty sentences, ten of each sentiment, written for this test."""

TEMPLATE = (
    'Predict the sentiment of the text strictly as "positive", "neutral", or "negative". {{text}}'
)

SENTENCES = (
    ("I love machine learning!", "positive"),
    ("The soup was warm, rich and exactly what I needed after that walk.", "positive"),
    ("Best headphones I have ever owned, worth every cent.", "positive"),
    ("Our guide was funny, patient and made the whole trip unforgettable.", "positive"),
    ("Setup took two minutes and everything simply worked. Fantastic!", "positive"),
    ("My daughter hugged the teddy bear and refused to let go, she adores it.", "positive"),
    ("Wonderful service, the staff went out of their way to help us.", "positive"),
    ("What a brilliant film, I laughed and cried and want to see it again.", "positive"),
    ("The new version is so much faster, great job to the team.", "positive"),
    ("I am really happy with this bike, it rides beautifully.", "positive"),
    ("The meeting starts at nine o'clock on Tuesday.", "neutral"),
    ("The box contains a cable, a manual and two batteries.", "neutral"),
    ("The train to Lyon leaves from platform four.", "neutral"),
    ("Water boils at one hundred degrees Celsius at sea level.", "neutral"),
    ("The store is open from Monday to Saturday.", "neutral"),
    ("The report has twelve pages and three tables.", "neutral"),
    ("She parked the car next to the library.", "neutral"),
    ("The package was delivered on Wednesday afternoon.", "neutral"),
    ("This laptop has sixteen gigabytes of memory and a silver case.", "neutral"),
    ("He works in the accounting department on the second floor.", "neutral"),
    ("I hate waiting on hold for an hour only to be disconnected.", "negative"),
    ("The zipper broke on the first day, what a waste of money.", "negative"),
    ("Terrible food, rude waiter, we will never come back.", "negative"),
    ("The app crashes every time I open it and support ignores me.", "negative"),
    ("I am deeply disappointed, the colour looks nothing like the picture.", "negative"),
    ("The room smelled of smoke and the sheets were dirty.", "negative"),
    ("Worst purchase of the year, it stopped working within a week.", "negative"),
    ("The plot was boring and the acting was awful.", "negative"),
    ("My order arrived late, cold and half of it was missing.", "negative"),
    ("The battery dies after twenty minutes, this phone is useless.", "negative"),
)
