package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.example.TextExample;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Examples of all kinds. */
final class ArbitraryExamples {
    static final Origin NOWHERE = new Origin("nowhere", 1);
    private static final String[] PIECES = {"a", "Z", "7", " ", "  ", "\t", ",", ";", "\"", "'", "\\", "\n", "\r\n",
        "\r", "{", "}", "[", "<b>", "\u00e9", "e\u0301", "\u20ac", "\u4f60", "\uD83D\uDE00", "\u2028", "\u0000",
        "\u0085", "\uFEFF", "=1+1", "null", "|", "#", "\uFFFD", "\u202E", "\\u0041"};

    private ArbitraryExamples() {
    }

    /** The formats that are written; items of an evaluation are only read. */
    static Arbitrary<DataFormat> formats() {
        return Arbitraries.of(DataFormat.values()).filter(format -> format != DataFormat.EVALUATION);
    }

    /** Examples of the kind that a format was made for. */
    static Arbitrary<Example> of(DataFormat format) {
        return switch (format) {
            case TASK -> extra().map(fields -> format.read(new DataRow(Path.of(NOWHERE.file()), NOWHERE.line(),
                    new LinkedHashMap<>(fields))).orElseThrow());
            case EVALUATION -> throw new IllegalArgumentException("is not written");
            case TEXT ->
                Combinators.combine(text(), extra()).as((text, extra) -> new TextExample(text, extra, NOWHERE));
            case CLASSIFICATION -> Combinators.combine(text(), text(), extra())
                    .as((text, label, extra) -> new ClassificationExample(text, label, extra, NOWHERE));
            case COMPLETION -> Arbitraries.oneOf(Combinators.combine(Arbitraries.oneOf(Arbitraries.just(""), text()),
                    text(), extra()).as(
                            (prompt, completion, extra) -> ChatExample.continuation(prompt, completion, extra,
                                    NOWHERE)),
                    Combinators.combine(text(), rounds(3, true), call(), tools(), extra()).as(
                            ArbitraryExamples::conversation));
            case PREFERENCE -> Combinators.combine(text(), text(), text(), text(), tools(), extra())
                    .as((system, question, good, bad, tools, extra) -> new PreferenceExample(
                            List.of(ChatMessage.system(system), ChatMessage.user(question)),
                            List.of(ChatMessage.assistant(good)), List.of(ChatMessage.assistant(bad)), tools, extra,
                            NOWHERE));
            case QA -> Combinators.combine(rounds(1, false), text())
                    .as((messages, group) -> new ChatExample(messages, List.of(), Map.of("group", group), NOWHERE));
            case ALPACA, GEMINI -> Combinators.combine(rounds(3, false), extra())
                    .as((messages, extra) -> new ChatExample(messages, List.of(), extra, NOWHERE));
            case SHAREGPT, CHAT -> Combinators.combine(rounds(3, format == DataFormat.CHAT), call(), tools(), extra())
                    .as((messages, call, tools, extra) -> {
                        List<ChatMessage> all = new ArrayList<>(messages);
                        all.addAll(call);
                        return new ChatExample(all, tools, extra, NOWHERE);
                    });
        };
    }

    /** A conversation whose first answer is not learned, so that it belongs to the prompt. */
    private static Example conversation(String text, List<ChatMessage> rounds, List<ChatMessage> call,
            List<Map<String, Object>> tools, Map<String, Object> extra) {
        List<ChatMessage> messages = new ArrayList<>(List.of(ChatMessage.user(text),
                new ChatMessage("assistant", text, Map.of("weight", 0))));
        messages.addAll(rounds);
        messages.addAll(call);
        return new ChatExample(messages, tools, extra, NOWHERE);
    }

    /** Not blank. */
    static Arbitrary<String> text() {
        Arbitrary<String> characters = Arbitraries.strings().withCharRange('\u0000', '\uD7FF')
                .withCharRange('\uE000', '\uFFFF').ofMaxLength(12);
        Arbitrary<String> pieces = Arbitraries.of(PIECES).list().ofMaxSize(12).map(list -> String.join("", list));
        return Combinators.combine(Arbitraries.oneOf(characters, pieces), Arbitraries.integers().between(0, 9))
                .as((text, digit) -> text + "x" + digit);
    }

    private static Arbitrary<Map<String, Object>> extra() {
        Arbitrary<Map<String, Object>> some = Combinators.combine(text(), Arbitraries.integers(), text())
                .as((note, number, nested) -> {
                    Map<String, Object> extra = new LinkedHashMap<>();
                    extra.put("note", note);
                    extra.put("number", number);
                    extra.put("nothing", null);
                    extra.put("nested", Map.of("list", List.of(1, true, nested)));
                    return extra;
                });
        return Arbitraries.oneOf(Arbitraries.just(Map.of()), some);
    }

    private static Arbitrary<List<Map<String, Object>>> tools() {
        return Arbitraries.oneOf(Arbitraries.just(List.of()), text().map(name -> List.of(Map.of("type", "function",
                "function", Map.of("name", name, "parameters", Map.of("type", "object"))))));
    }

    /** One round or more of user and assistant, with or without a system message before. */
    private static Arbitrary<List<ChatMessage>> rounds(int most, boolean weights) {
        Arbitrary<ChatMessage> answer = weights ? Arbitraries.oneOf(text().map(ChatMessage::assistant),
                text().map(text -> new ChatMessage("assistant", text, Map.of("weight", 0))))
                : text().map(
                        ChatMessage::assistant);
        Arbitrary<List<ChatMessage>> first = Combinators.combine(Arbitraries.of(true, false), text(), text(), text())
                .as((system, rule, question, reply) -> {
                    List<ChatMessage> messages = new ArrayList<>();
                    if (system) {
                        messages.add(ChatMessage.system(rule));
                    }
                    messages.add(ChatMessage.user(question));
                    messages.add(ChatMessage.assistant(reply));
                    return messages;
                });
        Arbitrary<List<List<ChatMessage>>> more = Combinators.combine(text().map(ChatMessage::user), answer)
                .as(List::of).list().ofMaxSize(most - 1);
        return Combinators.combine(first, more).as((begin, rest) -> {
            List<ChatMessage> messages = new ArrayList<>(begin);
            rest.forEach(messages::addAll);
            return messages;
        });
    }

    /** A call of a tool and what came of it, or nothing. */
    private static Arbitrary<List<ChatMessage>> call() {
        return Arbitraries.oneOf(Arbitraries.just(List.of()), Combinators.combine(text(), text(), text())
                .as((question, name, result) -> List.of(ChatMessage.user(question),
                        new ChatMessage("assistant", "", Map.of("tool_calls", List.of(Map.of("type", "function",
                                "function", Map.of("name", name, "arguments", "{\"a\": 1}"))))),
                        ChatMessage.tool(result), ChatMessage.assistant(result))));
    }
}
