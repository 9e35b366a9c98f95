CREATE ML_ENGINE IF NOT EXISTS local_engine FROM local;

CREATE MODEL IF NOT EXISTS sentiment_model
PREDICT sentiment
USING
    engine = 'local_engine',
    prompt_template = 'Classify the sentiment of the text strictly as `positive`, `neutral` or `negative`. Text: {{text}}';

SELECT text, sentiment
FROM sentiment_model
WHERE text = 'I love machine learning!';

SELECT r.id, r.stars, r.review, m.sentiment
FROM demo.reviews r
JOIN sentiment_model m ON m.text = r.review
WHERE r.stars < 3
LIMIT 8;
