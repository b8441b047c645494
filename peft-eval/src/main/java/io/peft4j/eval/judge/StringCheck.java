package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.GraderObject;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.GraderType;
import java.util.List;
import java.util.Locale;

/**
 * {@code string_check}: 1 where the input equals the reference ({@code eq}), does not ({@code ne}), contains it
 * ({@code like}), or contains it whatever the case ({@code ilike}), else 0.
 */
@Internal
public final class StringCheck implements GraderType {
    @Override
    public String name() {
        return "string_check";
    }

    @Override
    public Grader read(GraderObject object, GraderTools tools) {
        String operation = object.word("operation", List.of("eq", "ne", "like", "ilike"));
        GraderTemplate input = object.template("input");
        GraderTemplate reference = object.template("reference");
        return (item, answer) -> holds(operation, input.fill(item, answer), reference.fill(item, answer)) ? 1 : 0;
    }

    private static boolean holds(String operation, String input, String reference) {
        return switch (operation) {
            case "eq" -> input.equals(reference);
            case "ne" -> !input.equals(reference);
            case "like" -> TextSimilarity.requireFew(input, reference).contains(reference);
            default -> TextSimilarity.requireFew(input, reference).toLowerCase(Locale.ROOT)
                    .contains(reference.toLowerCase(Locale.ROOT));
        };
    }
}
