package io.peft4j.data.clean;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.Mojibake;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/** One way to mend an example. Used by one thread at a time, in the order of the examples. */
@Internal(shared = true)
public interface CleaningStep {
    /** The names of the steps that are taken where nothing else is asked for, in their order. */
    List<String> STANDARD = List.of("encoding", "unicode", "control", "html", "whitespace", "labels",
            "empty_turns", "merge_turns", "duplicates");

    /** The name of the step. */
    String name();

    /**
     * Mends an example.
     *
     * @return the example itself where nothing is wrong, a mended one, or empty where it is to be dropped
     */
    Optional<Example> apply(Example example);

    /**
     * A step that changes texts and drops nothing.
     *
     * @param name its name
     * @param change what it does to a text
     */
    static CleaningStep ofTexts(String name, UnaryOperator<String> change) {
        return of(name, example -> Optional.of(TextCleaning.map(example, change)));
    }

    /**
     * A step of a function.
     *
     * @param name its name
     * @param change what it does to an example
     */
    static CleaningStep of(String name, java.util.function.Function<Example, Optional<Example>> change) {
        return new CleaningStep() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Optional<Example> apply(Example example) {
                return change.apply(example);
            }
        };
    }

    /**
     * The step of a name, fresh: {@code encoding} (UTF-8 that was read as Latin-1 or Windows-1252, once or several
     * times, is what it was), {@code unicode} (one spelling of each character, no invisible ones), {@code control}
     * (no control characters), {@code html} (no tags and entities), {@code whitespace}, {@code labels} (spaces and
     * case of a label as most rows have them; by a pipeline, which looks at all rows first), {@code empty_turns},
     * {@code merge_turns} (neighbouring turns of one role become one), {@code duplicates} (equal but for white space),
     * {@code redact} (personal data), {@code refusals} (dropped).
     *
     * @throws ConfigurationException when there is none
     */
    static CleaningStep named(String name) {
        return switch (name) {
            case "encoding" ->
                of(name, example -> Optional.of(TextCleaning.mapFields(TextCleaning.map(example, Mojibake::mended),
                        Mojibake::mended)));
            case "unicode" -> ofTexts(name, TextCleaning::oneSpelling);
            case "control" -> ofTexts(name, TextCleaning::withoutControls);
            case "html" -> ofTexts(name, TextCleaning::withoutHtml);
            case "whitespace" -> ofTexts(name, TextCleaning::tidySpaces);
            case DataPipeline.LabelSpelling.NAME -> new DataPipeline.LabelSpelling(Map.of());
            case "empty_turns" -> of(name, ConversationTurns::withoutEmpty);
            case "merge_turns" -> of(name, ConversationTurns::merged);
            case "duplicates" -> new DropDuplicates();
            case "redact" -> redact(PiiDetector.standard());
            case "refusals" -> of(name, ConversationTurns::unlessRefused);
            default -> throw new ConfigurationException("unknown cleaning step '" + name + "'; use one of "
                    + STANDARD + ", redact, refusals, near_duplicates");
        };
    }

    /** Puts placeholders in the place of personal data, also in further fields and in the arguments of calls. */
    static CleaningStep redact(PiiDetector detector) {
        return of("redact", example -> Optional.of(TextCleaning.mapFields(TextCleaning.map(example, detector::redact),
                detector::redact)));
    }

    /**
     * Drops examples whose answer is long enough to tell its language and is in none of these: en, de, fr, es, it, pt,
     * nl.
     */
    static CleaningStep languages(Set<String> kept) {
        Languages.requireKnown(kept);
        return of("language",
                example -> Languages.of(TextCleaning.longest(example)).filter(found -> !kept.contains(found))
                        .isPresent() ? Optional.empty() : Optional.of(example));
    }
}
