package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Alpaca's form: the input follows the instruction after an empty line, as one message of the user. */
final class AlpacaFormat implements RowFormat {
    private static final String INSTRUCTION = "instruction";
    private static final String INPUT = "input";
    private static final String OUTPUT = "output";
    private static final String SYSTEM = "system";
    private static final String HISTORY = "history";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey(INSTRUCTION) && fields.containsKey(OUTPUT);
    }

    @Override
    public Optional<Example> read(DataRow row) {
        Object input = row.fields().get(INPUT);
        if (input instanceof String given) {
            row.isWhole(given, "\"" + INPUT + "\"");
        } else if (input != null) {
            row.fatal("missing_content", "\"input\" is not a string");
        }
        boolean hasInput = input instanceof String text && !text.isBlank();
        Optional<String> instruction = row.text(INSTRUCTION, hasInput);
        Optional<String> output = row.text(OUTPUT, false);
        List<ChatMessage> messages = history(row);
        messages.addAll(0, row.system());
        if (row.isWrong()) {
            return Optional.empty();
        }
        messages.add(ChatMessage.user(!hasInput ? instruction.get()
                : instruction.get().isBlank() ? (String) input : instruction.get() + "\n\n" + input));
        messages.add(ChatMessage.assistant(output.get()));
        return Optional.of(new ChatExample(messages, List.of(),
                row.extra(INSTRUCTION, INPUT, OUTPUT, SYSTEM, HISTORY), row.origin()));
    }

    private static List<ChatMessage> history(DataRow row) {
        Object value = row.fields().get(HISTORY);
        List<ChatMessage> messages = new ArrayList<>();
        if (value != null && !(value instanceof List<?>) && !"".equals(value)) {
            row.fatal("missing_content", "\"history\" is not a list of pairs of a question and an "
                    + "answer");
        }
        for (Object turn : value instanceof List<?> list ? list : List.of()) {
            if (!(turn instanceof List<?> pair && pair.size() == 2 && pair.get(0) instanceof String question
                    && pair.get(1) instanceof String answer)) {
                row.fatal("missing_content", "\"history\" holds " + turn
                        + "; it is a list of pairs of a question and an answer");
                return messages;
            }
            if (!row.isWhole(question, "\"history\"") || !row.isWhole(answer, "\"history\"")) {
                return messages;
            }
            messages.add(ChatMessage.user(question));
            messages.add(ChatMessage.assistant(answer));
        }
        return messages;
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        Optional<ChatExample> found = example.toChat().filter(ChatExample::isPlain);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        ChatExample chat = found.get();
        int last = chat.messages().size() - 1;
        Map<String, Object> row = new LinkedHashMap<>();
        row.put(INSTRUCTION, chat.messages().get(last - 1).content());
        row.put(INPUT, "");
        row.put(OUTPUT, chat.messages().get(last).content());
        int from = 0;
        if (chat.messages().get(0).role().equals(SYSTEM)) {
            row.put(SYSTEM, chat.messages().get(0).content());
            from = 1;
        }
        List<List<String>> history = new ArrayList<>();
        for (int i = from; i < last - 1; i += 2) {
            history.add(List.of(chat.messages().get(i).content(), chat.messages().get(i + 1).content()));
        }
        if (!history.isEmpty()) {
            row.put(HISTORY, history);
        }
        return RowFormat.with(row, chat.extra(), SYSTEM, HISTORY);
    }
}
