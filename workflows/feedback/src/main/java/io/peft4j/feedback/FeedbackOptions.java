package io.peft4j.feedback;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import io.peft4j.data.clean.PiiDetector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What a {@link FeedbackStore} keeps.
 *
 * @param most most answers; of more the oldest that were not judged go first, then the oldest
 * @param keptFor how long an answer is kept; without it until it is deleted
 * @param redaction what every text goes through before it is written
 */
@With
public record FeedbackOptions(int most, Optional<Duration> keptFor,
        UnaryOperator<String> redaction) implements FeedbackOptionsWith {
    /** Checks the values. */
    public FeedbackOptions {
        FeedbackOptionsWith.check(keptFor, redaction);
        if (most < 1 || keptFor.filter(time -> time.isNegative() || time.isZero()).isPresent()) {
            throw new ConfigurationException("a store of feedback keeps at least 1 answer for some time, got " + most
                    + " and " + keptFor.map(Duration::toString).orElse("no limit"));
        }
    }

    /**
     * 100,000 answers for 90 days, in which addresses, numbers of cards and accounts and the like are replaced
     * ({@link PiiDetector#standard}); names are not found.
     */
    public static FeedbackOptions defaults() {
        return new FeedbackOptions(100_000, Optional.of(Duration.ofDays(90)), PiiDetector.standard()::redact);
    }

    String redact(String text) {
        return redaction.apply(text);
    }

    /** The fields of a message: calls of tools hold texts, too. */
    Map<String, Object> redact(Map<String, Object> fields) {
        Map<String, Object> redacted = new LinkedHashMap<>();
        fields.forEach((name, value) -> redacted.put(name, redactAny(value)));
        return redacted;
    }

    private Object redactAny(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> redacted = new LinkedHashMap<>();
            map.forEach((name, inner) -> redacted.put(String.valueOf(name), redactAny(inner)));
            return redacted;
        }
        if (value instanceof List<?> list) {
            List<Object> redacted = new ArrayList<>();
            list.forEach(inner -> redacted.add(redactAny(inner)));
            return redacted;
        }
        return value instanceof String text ? redact(text) : value;
    }
}
