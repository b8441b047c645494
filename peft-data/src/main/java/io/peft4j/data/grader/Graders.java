package io.peft4j.data.grader;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Registered;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads graders from OpenAI's JSON objects: {@code string_check}, {@code text_similarity}, {@code score_model},
 * {@code label_model}, {@code multi}, and other {@linkplain GraderType types} that are registered.
 *
 * <pre>{@code
 * {"type": "string_check", "name": "answer", "operation": "eq",
 *  "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}
 * }</pre>
 */
public final class Graders {
    private static final int DEEPEST = 50;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder().streamReadConstraints(
            StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build()).build());

    private Graders() {
    }

    /**
     * The grader of a file.
     *
     * @throws FileFormatException when it is not JSON, or no grader; says what is wrong
     * @throws java.io.UncheckedIOException when it cannot be read
     */
    public static Grader read(Path file, GraderTools tools) {
        JsonNode json = JsonFiles.read(file);
        try {
            return of(json, tools, new ArrayList<>());
        } catch (ConfigurationException e) {
            throw new FileFormatException(file, e.getMessage(), e);
        }
    }

    /**
     * The grader of a text of JSON.
     *
     * @throws ConfigurationException when it is not JSON, or no grader; says what is wrong
     */
    public static Grader parse(String json, GraderTools tools) {
        return parse(json, tools, new ArrayList<>());
    }

    /**
     * The templates of a grader and of those that it is made of.
     *
     * @throws ConfigurationException as {@link #parse}
     */
    public static List<GraderTemplate> templates(String json) {
        List<GraderTemplate> templates = new ArrayList<>();
        parse(json, GraderTools.NONE, templates);
        return templates;
    }

    private static Grader parse(String json, GraderTools tools, List<GraderTemplate> templates) {
        try {
            return of(JSON.readTree(json), tools, templates);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException("a grader is a JSON object: " + e.getOriginalMessage(), e);
        }
    }

    static Grader of(JsonNode json, GraderTools tools, List<GraderTemplate> templates) {
        GraderObject object = new GraderObject(json, templates);
        List<GraderType> types = Registered.all(GraderType.class, GraderType::name);
        List<String> names = types.stream().map(GraderType::name).toList();
        if (object.type().equals("python")) {
            throw object.wrong("would run Python, which a JVM does not; use one of " + names + ", or give a Grader "
                    + "from Java: (item, answer) -> score");
        }
        GraderType type = types.stream().filter(each -> each.name().equals(object.type())).findFirst()
                .orElseThrow(() -> object.type().isEmpty() ? object.wrong("needs \"type\", one of " + names)
                        : new ConfigurationException("unknown grader '" + object.type() + "'; use one of " + names));
        Grader grader = type.read(object, tools);
        object.requireNoOthers();
        return grader;
    }
}
