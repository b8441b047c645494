package io.peft4j.models.generation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.AnswerReader.CallPiece;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The tools of a chat, and how its answer may call them.
 *
 * @param shown the tools that the template shows to the model, in the form of chats
 * @param callable the names of those that may be called; none where none may
 * @param form how calls are written, where some may come
 * @param forced whether the answer must be a call
 * @param parallel whether there may be several calls
 * @param sure whether a grammar makes calls right once they have begun
 * @param thought the mark by which the prompt opens a thought; empty where it does not
 */
@Internal(shared = true)
public record ToolUse(List<JsonNode> shown, List<String> callable, Optional<ToolForm> form, boolean forced,
        boolean parallel, boolean sure, String thought) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {
    };

    /**
     * A chat as a model is asked it.
     *
     * @param options with what makes its calls right
     * @param use what takes the answer apart
     */
    public record Asked(Prompt prompt, GenerationOptions options, ToolUse use) {
    }

    /**
     * Tools of which some may be called.
     *
     * @param shown all, in the form of chats
     * @param callable the names of those
     * @param known the form of the model's template, see {@link ToolForm#of(ChatTemplate)}, asked for where some may be
     *     called; empty where it shows no tools
     * @throws ConfigurationException when some may be called and the template shows none to the model
     */
    public static ToolUse of(List<JsonNode> shown, List<String> callable, boolean forced, boolean parallel,
            Supplier<Optional<ToolForm>> known) {
        Optional<ToolForm> form = callable.isEmpty() ? Optional.empty()
                : Optional.of(known.get().orElseThrow(() -> new ConfigurationException("the chat template of "
                        + "this model has no tools; small models whose template has them are Qwen/Qwen3-0.6B, "
                        + "Qwen/Qwen2.5-0.5B-Instruct and meta-llama/Llama-3.2-1B-Instruct")));
        return new ToolUse(shown, callable, form, forced, parallel, forced, "");
    }

    /** A tool in the form of chats, {@code {"type": "function", "function": {...}}}. */
    public static Map<String, Object> tool(String name, String description, Object parameters) {
        ObjectNode tool = JSON.createObjectNode().put("type", "function");
        tool.putObject("function").put("name", name).put("description", description)
                .set("parameters", JSON.valueToTree(parameters));
        return JSON.convertValue(tool, OBJECT);
    }

    /** A call that was made, as chat templates take it. */
    public static Map<String, Object> call(@Nullable String id, String name, @Nullable String arguments) {
        ObjectNode call = JSON.createObjectNode().put("id", Objects.requireNonNullElse(id, "")).put("type", "function");
        call.putObject("function").put("name", name).set("arguments", JSON.valueToTree(arguments(Objects
                .requireNonNullElse(arguments, ""))));
        return JSON.convertValue(call, OBJECT);
    }

    /** What a call gave. */
    public static ChatMessage result(@Nullable String id, @Nullable String name, String text) {
        return new ChatMessage("tool", text, Map.of("tool_call_id", Objects.requireNonNullElse(id, ""), "name",
                Objects.requireNonNullElse(name, "")));
    }

    /** Arguments as chat templates take them: an object, or the text itself where it is none. */
    public static Object arguments(String text) {
        try {
            return JSON.readValue(text.isBlank() ? "{}" : text, OBJECT);
        } catch (JsonProcessingException e) {
            return text;
        }
    }

    /**
     * A chat in which any of some tools may be called.
     *
     * @param tools as {@link #tool} makes them
     * @param none whether they are shown, and none may be called
     * @param forced whether one must be called
     * @throws ConfigurationException when the template shows no tools, and when the answer must follow a format, too
     */
    public static Asked ask(LanguageModel model, List<ChatMessage> messages, List<Map<String, Object>> tools,
            boolean none, boolean forced, GenerationOptions options) {
        List<JsonNode> shown = tools.stream().<JsonNode>map(JSON::valueToTree).toList();
        Optional<ChatTemplate> template = model.chatTemplate();
        if (template.isEmpty()) {
            return new Asked(Prompt.chat(messages), options, new ToolUse(shown, List.of(), Optional.empty(), false,
                    true, false, ""));
        }
        List<String> callable = none ? List.of() : Tool.of(tools).stream().map(Tool::name).toList();
        ToolUse use = of(shown, callable, forced && !callable.isEmpty(), true,
                () -> ToolForm.of(template.get()));
        if (use.form().isPresent() && options.constraint().isPresent()) {
            throw new ConfigurationException("an answer cannot both follow a format and call a tool; ask for one of "
                    + "them");
        }
        String text = template.get().render(messages, true, tools, Map.of());
        Optional<TextConstraint> calls = use.form().flatMap(form -> use.forced()
                ? Optional.of(TextConstraints.call(form, use.tools(), use.parallel()))
                : use.rightCalls(form, text));
        return new Asked(Prompt.tokens(model.tokenizer().encode(text + use.begin())), calls.map(options::withConstraint)
                .orElse(options), use.behind(text, calls.isPresent()));
    }

    /** Empty where a schema cannot be followed: then a call that is wrong stays text. */
    private Optional<TextConstraint> rightCalls(ToolForm form, String prompt) {
        try {
            return Optional.of(TextConstraints.calls(form, tools(), parallel, prompt));
        } catch (ConfigurationException e) {
            return Optional.empty();
        }
    }

    /** The same behind a prompt, where the format of the answer is free and no call is forced. */
    public ToolUse behind(String prompt, boolean grammar) {
        return new ToolUse(shown, callable, form, forced, parallel, grammar, AnswerReader.openedThought(prompt)
                .orElse(""));
    }

    /** What the header of the answer ends with. */
    public String begin() {
        return forced ? form.orElseThrow().begin() : "";
    }

    /** The tools that may be called. */
    public List<Tool> tools() {
        return Tool.of(shown).stream().filter(tool -> callable.contains(tool.name())).toList();
    }

    /** An answer while it grows. */
    public static final class Growing {
        private final ToolUse use;
        private final AnswerReader reader;

        /** Nothing yet. */
        public Growing(ToolUse use) {
            this.use = use;
            // A forced call begins behind a thought that the prompt opens.
            this.reader = new AnswerReader(use.form, use.tools(), use.forced ? "" : use.thought, use.sure);
            reader.accept(use.begin());
        }

        /** Takes the next piece. */
        public AnswerReader.Piece accept(String text) {
            return told(reader.accept(text));
        }

        /** The answer is complete; the text of a forced call that is none is content. */
        public AnswerReader.Piece finish(String text) {
            List<CallPiece> calls = new ArrayList<>(use.forced && !text.endsWith(use.form.orElseThrow().end())
                    ? accept(use.form.orElseThrow().end()).calls() : List.of());
            AnswerReader.Piece rest = told(reader.finish());
            calls.addAll(rest.calls());
            return new AnswerReader.Piece(rest.reasoning(), use.forced ? answer(text).content() : rest.content(),
                    calls);
        }

        private AnswerReader.Piece told(AnswerReader.Piece piece) {
            return new AnswerReader.Piece(piece.reasoning(), use.forced ? "" : piece.content(), piece.calls().stream()
                    .filter(call -> use.parallel || call.index() == 0).toList());
        }

        /** What of it is complete. */
        public ParsedAnswer soFar() {
            ParsedAnswer read = reader.answer();
            List<ToolCall> calls = read.calls();
            return use.parallel || calls.size() < 2 ? read
                    : new ParsedAnswer(read.content(), read.reasoning(), calls.subList(0, 1), read.wrong());
        }

        /** What it is as a whole, once it is finished. */
        public ParsedAnswer answer(String text) {
            ParsedAnswer read = soFar();
            // A forced call that the limit of tokens cut is text.
            return use.forced && read.calls().isEmpty() ? new ParsedAnswer(text, "", List.of(), read.wrong()) : read;
        }
    }

    /** Thoughts, content and calls of an answer. */
    public ParsedAnswer parsed(String text) {
        Growing whole = new Growing(this);
        whole.accept(text);
        whole.finish(text);
        return whole.answer(text);
    }
}
