package io.peft4j.data.report;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.clean.CleaningStep;
import io.peft4j.data.clean.EmptyAnswers;
import io.peft4j.data.clean.FieldTexts;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.clean.PiiDetector.PiiMatch;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.Mojibake;
import io.peft4j.data.format.Place;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.ExactKey;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is found in one row alone. Computed by many threads at once.
 *
 * @param line its line
 * @param faults what is wrong with its form
 * @param example the example, where it is one
 * @param features what comparisons need of it
 * @param told the same without personal data, for what reports name
 * @param parts its texts
 * @param pii personal data in it, for messages
 * @param refusal words by which its answer gives nothing
 * @param traits the style of its answer
 * @param answerWords the length of its answer
 * @param tokens tokens, at least so many where {@code supervised} is unknown; -1 where no model is given
 * @param supervised supervised tokens; {@value #UNKNOWN} of an example that is too long to be encoded
 * @param encoding why it cannot be encoded
 * @param fields its fields, where it is no example but has some
 * @param id the identifier that it has among its fields
 * @param garbled a word that was read in another encoding, and what it was
 * @param place the page or the sheet that its fields name
 * @param statements what is right for which input, as it says
 */
@Internal(shared = true)
public record RowScan(long line, List<RowFault> faults, Optional<Example> example, Optional<Corpus.Features> features,
        Optional<Corpus.Features> told, List<RowParts.Part> parts, Set<String> pii, Optional<String> refusal,
        int traits, int answerWords, int tokens, int supervised, Optional<String> encoding, Map<String, Object> fields,
        Optional<String> id, Optional<String> garbled, Optional<String> place, List<Statement> statements) {
    private static final int UNKNOWN = -1;

    /**
     * Looks at a row.
     *
     * @param kind what the rows are, where they have labels
     * @param encoder the model's, where one is given
     * @param maxLength the longest example in tokens; of one that is far longer only that is found out
     */
    static RowScan of(ExampleReader.Item item, Optional<RowKind<?>> kind, PiiDetector detector,
            Optional<ChatEncoder> encoder, int maxLength) {
        DataRow row = item.row();
        if (item.example().isEmpty()) {
            return new RowScan(row.line(), row.faults(), item.example(), Optional.empty(), Optional.empty(),
                    List.of(), Set.of(), Optional.empty(), 0, 0, -1, 0, Optional.empty(), row.fields(),
                    RepeatedIds.of(row.fields()), Optional.empty(), Place.of(row.fields()), List.of());
        }
        Example example = item.example().get();
        Optional<String> garbled = Optional.empty();
        List<RowParts.Part> parts = RowParts.of(example);
        Set<String> pii = new LinkedHashSet<>();
        Optional<String> refusal = Optional.empty();
        String answer = "";
        for (RowParts.Part part : parts) {
            find(detector, part, pii);
            if (part.role().equals("assistant")) {
                answer = part.text();
                // A class may well be called unknown.
                refusal = refusal.isPresent() || example instanceof ClassificationExample ? refusal
                        : EmptyAnswers.in(part.text()).map(detector::redact);
            }
            garbled = garbled.isPresent() ? garbled : garbled(detector.redact(part.text()));
        }
        RowParts.fields(example).forEach(part -> find(detector, part, pii));
        int tokens = -1;
        int supervised = 0;
        Optional<String> encoding = Optional.empty();
        boolean answered = example.toChat().filter(chat -> chat.prompt().size() < chat.messages().size()).isPresent();
        if (encoder.isPresent() && answered) {
            try {
                encoder.get().requireShown(example.toChat().get());
                tokens = beyond(encoder.get(), example, maxLength);
                supervised = UNKNOWN;
                if (tokens == 0) {
                    TokenSequence sequence = encoder.get().encode(example.toChat().get());
                    tokens = sequence.length();
                    supervised = sequence.supervisedTokens();
                    if (example instanceof PreferenceExample pair) {
                        tokens = Math.max(tokens, encoder.get().encode(pair.rejectedChat()).length());
                    }
                }
            } catch (DataException e) {
                encoding = Optional.of(e.problem());
            }
        }
        List<RowFault> faults = new ArrayList<>(row.faults());
        List<Statement> statements = List.of();
        try {
            statements = kind.isEmpty() ? Statement.of(example) : kind.get().statements(row);
        } catch (DataException e) {
            faults.add(new RowFault("invalid_row", true, 0, e.problem()));
        }
        Corpus.Features features = kind.isEmpty() || statements.isEmpty() || example instanceof PreferenceExample
                || example instanceof ClassificationExample ? Corpus.Features.of(example)
                        : features(statements, row.fields());
        Corpus.Features told = pii.isEmpty() ? features : Corpus.Features.of(CleaningStep.redact(detector)
                .apply(example).orElseThrow());
        return new RowScan(row.line(), faults, item.example(), Optional.of(features), Optional.of(told), parts,
                pii, refusal, Style.traits(answer), words(answer), tokens, supervised, encoding, Map.of(),
                RepeatedIds.of(row.fields()), garbled, Place.of(row.fields()), statements);
    }

    /** What rows with labels are compared by: inputs and labels, of which others have other contexts. */
    private static Corpus.Features features(List<Statement> statements, Map<String, Object> fields) {
        StringBuilder text = new StringBuilder();
        StringBuilder contexts = new StringBuilder();
        statements.forEach(statement -> {
            if (statement instanceof Statement.Label label) {
                text.append(label.input().replace('\0', ' ')).append('\n').append(label.right()).append('\n');
                contexts.append(label.context().replace('\0', ' ')).append('\n');
            }
        });
        return Corpus.Features.of(text + "\0\0\0" + contexts, ExactKey.of(new TextExample(fields.toString(), Map.of(),
                Origin.PROGRAM)));
    }

    private static int beyond(ChatEncoder encoder, Example example, int maxLength) {
        int tokens = encoder.beyond(example.toChat().orElseThrow(), maxLength);
        return tokens == 0 && example instanceof PreferenceExample pair ? encoder.beyond(pair.rejectedChat(), maxLength)
                : tokens;
    }

    private static Optional<String> garbled(String text) {
        if (Mojibake.mended(text).equals(text)) {
            return Optional.empty();
        }
        return Arrays.stream(text.split("[ \n\t]+")).filter(word -> !Mojibake.mended(word).equals(word)).findFirst()
                .map(word -> "holds '" + word + "', which was '" + Mojibake.mended(word) + "' before it was read in a "
                        + "wrong encoding")
                .or(() -> Optional.of("was read in a wrong encoding"));
    }

    private static void find(PiiDetector detector, RowParts.Part part, Set<String> pii) {
        for (PiiMatch match : detector.find(part.text())) {
            pii.add(match.kind().title() + " in " + part.where());
        }
    }

    static int words(String text) {
        int words = 0;
        boolean inside = false;
        for (int i = 0; i < text.length(); i++) {
            boolean space = Character.isWhitespace(text.charAt(i));
            words += !space && !inside ? 1 : 0;
            inside = !space;
        }
        return words;
    }

    /** The roles of its texts, in their order. */
    List<String> roles() {
        List<String> roles = new ArrayList<>();
        parts.forEach(part -> roles.add(part.role()));
        return roles;
    }

    /** The texts of an example with the roles that say them. */
    static final class RowParts {
        /**
         * A text.
         *
         * @param role who says it; {@code text} for plain text
         * @param where where it is, for messages
         * @param text the text
         */
        record Part(String role, String where, String text) {
        }

        private RowParts() {
        }

        /** The texts in further fields of an example and of its messages, such as the arguments of calls. */
        static List<Part> fields(Example example) {
            List<Part> parts = new ArrayList<>();
            if (example instanceof PreferenceExample preference) {
                preference.prompt().forEach(message -> fields(message, parts));
                preference.preferred().forEach(message -> fields(message, parts));
                preference.rejected().forEach(message -> fields(message, parts));
            } else if (example instanceof ChatExample chat) {
                chat.messages().forEach(message -> fields(message, parts));
            }
            example.extra().forEach((key, value) -> FieldTexts.visit(value, text -> parts.add(new Part("field",
                    "the field \"" + key + "\"", text))));
            return parts;
        }

        private static void fields(ChatMessage message, List<Part> parts) {
            message.extra()
                    .forEach((key, value) -> FieldTexts.visit(value, text -> parts.add(new Part("field", "\"" + key
                            + "\" of a message (" + message.role() + ")", text))));
        }

        static List<Part> of(Example example) {
            List<Part> parts = new ArrayList<>();
            if (example instanceof TextExample text) {
                parts.add(new Part("text", "the text", text.text()));
            } else {
                ChatExample chat = example.toChat().orElseThrow();
                for (int i = 0; i < chat.messages().size(); i++) {
                    ChatMessage message = chat.messages().get(i);
                    parts.add(new Part(message.role(), "message " + (i + 1) + " (" + message.role() + ")",
                            message.content()));
                }
            }
            if (example instanceof PreferenceExample preference) {
                preference.rejected().forEach(message -> parts.add(new Part("rejected", "the rejected answer",
                        message.content())));
            }
            return parts;
        }
    }
}
