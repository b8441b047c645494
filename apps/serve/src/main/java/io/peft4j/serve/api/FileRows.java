package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.augment.DocumentRows;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.serve.http.Json;
import io.peft4j.train.TrainingOptions;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The rows of a table or a document as the command line learns them: of a document without the wordings that are held
 * out. Rows that people have yet to fill in are left out, and counted.
 */
final class FileRows {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PIECE = 64;

    private final DataFile file;
    private final List<String> columns;
    private final Optional<DocumentRows> document;

    /**
     * Begins with a file.
     *
     * @param given the file
     * @param names those of its columns; empty: found
     * @param toLearn whether the rows are to be learned as they are
     * @throws DataException when it cannot be read, or what is to be learned is not clear
     */
    FileRows(DataFile given, Optional<Map<String, String>> names, boolean toLearn) {
        file = given.withColumns(names.orElseGet(() -> found(given, toLearn)));
        try (OpenRows rows = OpenRows.open(given)) {
            columns = rows.first().map(first -> List.copyOf(first.keySet())).orElse(List.of());
        }
        document = DataFiles.isDocument(file.path()) ? Optional.of(DocumentRows.of(file))
                .filter(made -> made.made().statements() + made.questions() > 0) : Optional.empty();
        if (toLearn) {
            document.ifPresent(DocumentRows::requireAny);
        }
    }

    /** How a file that is no JSON Lines becomes one to train on; empty for others. */
    static Optional<String> advice(String id, String filename, Context request) {
        String saved = FileRoutes.safe(filename).replaceFirst("\\.[^.]*$", "") + ".jsonl";
        return Optional.of("a table, a document or a JSON list is trained on as rows, which this makes of it: curl "
                + request.scheme() + "://" + request.host() + "/v1/files/" + id + "/rows -H \"Authorization: Bearer "
                + "$OPENAI_API_KEY\" -d '{\"save_as\": \"" + saved + "\"}'; -d '{}' shows its columns and first rows")
                .filter(any -> DataFiles.isMadeIntoRows(filename));
    }

    /** What the columns could be called; nothing where that is not clear and people are to decide. */
    private static Map<String, String> found(DataFile file, boolean toLearn) {
        try {
            Map<String, String> names = new LinkedHashMap<>(TableColumns.of(file, TableColumns.EXAMPLES).file()
                    .columns());
            names.entrySet().removeIf(name -> name.getKey().equals(name.getValue()));
            return names;
        } catch (DataException e) {
            if (toLearn) {
                throw e;
            }
            return Map.of();
        }
    }

    /**
     * Writes the rows as JSON Lines.
     *
     * @param shown how many of them the reply shows
     * @param learned takes those to train on
     * @param heldOut takes those of a document that are held out
     */
    ObjectNode write(int shown, Writer learned, Writer heldOut) throws IOException {
        ObjectNode reply = Json.object().put("object", "file.rows");
        columns.forEach(reply.putArray("columns")::add);
        DataFile.columnNames().forEach(reply.putArray("names")::add);
        reply.set("mapping", JSON.valueToTree(file.columns()));
        reply.putArray("rows");
        Set<ChatExample> held = document.isPresent() ? held() : Set.of();
        long total = 0;
        long wrong = 0;
        try (ExampleReader reader = reader()) {
            for (Optional<ExampleReader.Item> next = reader.next(); next.isPresent(); next = reader.next()) {
                DataRow row = next.get().row();
                if (total++ % PIECE == 0) {
                    file.look().run();
                }
                boolean open = row.faults().stream().anyMatch(one -> one.code().equals(UnfilledRows.UNFILLED));
                Optional<RowFault> fault = row.faults().stream().filter(one -> open || one.fatal()).findFirst();
                if (fault.isPresent() && wrong++ == 0) {
                    reply.put("problem", "line " + row.line() + ": " + fault.get().message());
                }
                Optional<ChatExample> chat = next.get().example().flatMap(Example::toChat);
                boolean out = chat.filter(held::contains).isPresent();
                if (total <= shown) {
                    ObjectNode fields = JSON.valueToTree(row.fields());
                    reply.withArray("rows").add(out ? fields.put("held_out", true) : fields);
                }
                Map<String, Object> line = chat.filter(one -> document.isPresent()).flatMap(DataFormat.CHAT::write)
                        .orElse(row.fields());
                if (!line.isEmpty() && !open) {
                    (out ? heldOut : learned).write(JSON.writeValueAsString(line) + "\n");
                }
            }
        }
        document.ifPresent(made -> reply.put("questions", made.questions()).put("held_out", held.size())
                .setAll(JSON.<ObjectNode>valueToTree(made.made().counts())));
        return reply.put("total", total).put("wrong", wrong);
    }

    private ExampleReader reader() {
        return ExampleReader.of(document.map(DocumentRows::open).orElseGet(() -> OpenRows.open(file)));
    }

    /** Those that the command line holds out, too, where it is given no seed. */
    private Set<ChatExample> held() {
        List<ChatExample> chats = new ArrayList<>();
        try (ExampleReader reader = reader()) {
            for (Optional<ExampleReader.Item> next = reader.next(); next.isPresent(); next = reader.next()) {
                next.get().example().flatMap(Example::toChat).ifPresent(chats::add);
            }
        }
        return Set.copyOf(ChatDataset.of(chats).splitWordings(TrainingOptions.defaults().seed()).test().examples());
    }
}
