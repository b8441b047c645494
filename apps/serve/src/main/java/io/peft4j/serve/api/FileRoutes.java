package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.augment.DocumentRows;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.ListPage;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import io.peft4j.train.TrainingOptions;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@code /v1/files}. */
public final class FileRoutes implements RouteGroup {
    /** What a client may say a file is for. */
    static final List<String> PURPOSES = List.of("assistants", "batch", "fine-tune", "vision", "user_data", "evals");
    private static final int MOST_LISTED = 10_000;
    private static final int ROWS_SHOWN = 3;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PIECE = 64;
    private static final int LONGEST_ENDING = 20;

    private final Store store;
    private final Uploads uploads;
    private final Clock clock;

    /** Routes over what is stored, for files of up to so many bytes. */
    public FileRoutes(Store store, Clock clock, long mostBytes) {
        this.store = store;
        this.clock = clock;
        this.uploads = new Uploads(store, clock, mostBytes);
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/files", Operation.of("createFile", "Uploads a file").body("multipart/form-data", "FileUpload")
                .reply("File"), request -> Bodies.reply(request, json(uploads.take(request))));
        routes.get("/v1/files", Paging.describe(Operation.of("listFiles", "Lists files")
                .query("purpose", "Only those for this purpose", Operation.TEXT), MOST_LISTED, "File"), this::list);
        routes.get("/v1/files/{id}", Operation.of("retrieveFile", "Tells of a file").reply("File"),
                request -> Bodies.reply(request, json(find(request))));
        routes.get("/v1/files/{id}/content", Operation.of("downloadFile", "The content of a file")
                .reply("application/octet-stream", "{'type': 'string', 'format': 'binary'}"), this::content);
        routes.post("/v1/files/{id}/rows", Operation.of("readFileRows", "The rows of a table or a handbook, with names "
                + "for its columns; with save_as they become a file for fine-tune").body("{'type': 'object', "
                        + "'properties': {'columns': {'type': 'object'}, 'first': {'type': 'integer'}, 'encoding': "
                        + Operation.TEXT + ", 'save_as': " + Operation.TEXT + "}}")
                .atMost(Bound.NAMES_BYTES).reply(Operation.OBJECT), this::rows);
        routes.delete("/v1/files/{id}", Operation.of("deleteFile", "Deletes a file").reply("Deleted"), this::delete);
    }

    private void list(Context request) {
        Optional<String> purpose = Optional.ofNullable(request.queryParam("purpose")).filter(text -> !text.isEmpty());
        ListPage.Request page = Paging.of(request, MOST_LISTED, MOST_LISTED);
        Bodies.reply(request, Paging.json(store.files().list(Caller.of(request).project(), purpose, page,
                now()), FileRoutes::json));
    }

    private void content(Context request) throws IOException {
        StoredFile file = find(request);
        try {
            request.header("Content-Disposition", "attachment; filename=\"" + safe(file.filename()) + "\"");
            request.header("Content-Length", String.valueOf(file.bytes()));
            request.contentType("application/octet-stream").result(Files.newInputStream(
                    store.files().content(file.id())));
        } catch (NoSuchFileException e) {
            // Deleted just now.
            throw noSuchFile(file.id());
        }
    }

    /**
     * What an uploaded table or handbook holds: its columns, what they could be called, its first rows with these
     * names, what is wrong, and what of a handbook has a question; or, with {@code save_as}, all rows as a file of JSON
     * Lines for fine-tune, and what is held out as another.
     */
    private void rows(Context request) throws IOException {
        StoredFile stored = find(request);
        RequestFields fields = new RequestFields(Bodies.object(request));
        Map<String, String> names = new LinkedHashMap<>();
        RequestFields columns = fields.inner("columns");
        columns.names().forEach(column -> names.put(column, columns.requiredText(column)));
        Optional<Map<String, String>> given = fields.get("columns").map(any -> names);
        int shown = fields.integer("first", 0, Bound.ROWS.count()).orElse(ROWS_SHOWN);
        Optional<String> name = fields.text("save_as").map(Uploads::name);
        Optional<String> encoding = fields.text("encoding");
        fields.requireKnown();
        LongRequests.enter(request);
        Path spool = store.files().spool();
        Path held = store.files().spool();
        // The ending of its name says what a file is.
        String ending = stored.filename().substring(Math.max(0, stored.filename().length() - LONGEST_ENDING));
        Path place = Files.createLink(spool.resolveSibling(spool.getFileName() + "-" + safe(ending)),
                store.files().content(stored.id()));
        try (Writer out = name.isPresent() ? Files.newBufferedWriter(spool) : Writer.nullWriter();
                Writer heldOut = name.isPresent() ? Files.newBufferedWriter(held) : Writer.nullWriter()) {
            DataFile file = new DataFile(place, Optional.empty(), Map.of(), encoding.map(DataFile::encoding),
                    () -> LongRequests.requireClient(request));
            ObjectNode reply = write(file, given, name.isPresent(), shown, out, heldOut);
            out.close();
            heldOut.close();
            if (name.isPresent()) {
                reply.remove(List.of("columns", "names", "rows"));
                reply.setAll(json(uploads.keep(spool, name.get(), "fine-tune", Optional.empty(), request)));
                if (reply.path("held_out").asInt() > 0) {
                    reply.put("held_out_file", uploads.keep(held, "heldout-" + name.get(), "fine-tune",
                            Optional.empty(), request).id());
                }
            }
            Bodies.reply(request, reply);
        } catch (DataException | ConfigurationException e) {
            throw ApiException.invalid("file", e.getMessage().replace(place.toString(), stored.filename()));
        } finally {
            List.of(place, spool, held).forEach(each -> Uploads.tidy(() -> Files.deleteIfExists(each)));
        }
    }

    /** How a file that is no JSON Lines becomes one to train on; empty for others. */
    static Optional<String> advice(String id, String filename, Context request) {
        String saved = safe(filename).replaceFirst("\\.[^.]*$", "") + ".jsonl";
        return Optional.of("a table, a document or a JSON list is trained on as rows, which this makes of it: curl "
                + request.scheme() + "://" + request.host() + "/v1/files/" + id + "/rows -H \"Authorization: Bearer "
                + "$OPENAI_API_KEY\" -d '{\"save_as\": \"" + saved + "\"}'; -d '{}' shows its columns and first rows")
                .filter(any -> DataFiles.isMadeIntoRows(filename));
    }

    /** What the columns could be called; nothing where that is not clear and people are to decide. */
    private static Map<String, String> found(DataFile file, boolean toLearn) {
        try {
            return TableColumns.of(file, TableColumns.EXAMPLES).file().columns();
        } catch (DataException e) {
            if (toLearn) {
                throw e;
            }
            return Map.of();
        }
    }

    /**
     * Reads the rows as the command line learns them, and writes them as JSON Lines. Those that people have yet to fill
     * in are left out, and counted.
     *
     * @param names those of the columns; empty: found
     * @param toLearn whether the rows are to be learned as they are
     * @param shown how many of them the reply shows
     * @param learned takes those to train on
     * @param heldOut takes those of a document that are held out
     * @throws DataException when it cannot be read, or what is to be learned is not clear
     */
    private static ObjectNode write(DataFile given, Optional<Map<String, String>> names, boolean toLearn, int shown,
            Writer learned, Writer heldOut) throws IOException {
        DataFile file = given.withColumns(names.orElseGet(() -> found(given, toLearn)));
        ObjectNode reply = Json.object().put("object", "file.rows");
        try (OpenRows rows = OpenRows.open(given)) {
            reply.set("columns", JSON.valueToTree(rows.first().orElse(Map.of()).keySet()));
        }
        DataFile.columnNames().forEach(reply.putArray("names")::add);
        reply.set("mapping", JSON.valueToTree(file.columns()));
        reply.putArray("rows");
        Optional<DocumentRows> document = Optional.of(file.path()).filter(DataFiles::isDocument)
                .map(path -> DocumentRows
                        .of(file))
                .filter(made -> made.made().statements() + made.questions() > 0);
        // Those that the command line holds out, too, where it is given no seed.
        Set<ChatExample> held = document.filter(made -> toLearn || !made.rows().isEmpty()).map(made -> Set.copyOf(
                ChatDataset.of(ChatDataset.ROWS.read(made.open())).splitWordings(TrainingOptions.defaults().seed())
                        .test().examples()))
                .orElse(Set.of());
        long total = 0;
        long wrong = 0;
        try (ExampleReader reader = ExampleReader.of(document.map(made -> OpenRows.of(file, HandbookSections
                .of(made.rows()))).orElseGet(() -> OpenRows.open(file)))) {
            for (Optional<ExampleReader.Item> next = reader.next(); next.isPresent(); next = reader.next()) {
                DataRow row = next.get().row();
                if (total++ % PIECE == 0) {
                    file.look().run();
                }
                if (toLearn && row.fields().isEmpty()) {
                    throw row.exception();
                }
                boolean open = row.faults().stream().anyMatch(one -> one.code().equals(UnfilledRows.UNFILLED));
                Optional<RowFault> fault = row.faults().stream().filter(one -> open || one.fatal()).findFirst();
                if (fault.isPresent() && wrong++ == 0) {
                    reply.put("problem", "line " + row.line() + ": " + fault.get().message());
                }
                boolean out = next.get().example().flatMap(Example::toChat).filter(held::contains).isPresent();
                if (total <= shown) {
                    ObjectNode fields = JSON.valueToTree(row.fields());
                    reply.withArray("rows").add(out ? fields.put("held_out", true) : fields);
                }
                if (!open) {
                    (out ? heldOut : learned).write(JSON.writeValueAsString(row.fields()) + "\n");
                }
            }
        }
        document.ifPresent(made -> reply.put("questions", made.questions()).put("held_out", held.size())
                .setAll(JSON.<ObjectNode>valueToTree(made.made().counts())));
        return reply.put("total", total).put("wrong", wrong);
    }

    /** Nothing in a header that would end it or its text. */
    private static String safe(String filename) {
        return filename.replaceAll("[^A-Za-z0-9._ -]", "_");
    }

    private void delete(Context request) {
        StoredFile file = find(request);
        store.files().delete(file.id()).ifPresent(job -> {
            throw ApiException.of(409, "invalid_request_error", "file_in_use", "id", "the file '" + file.id()
                    + "' is in use: " + job + " reads it; cancel that first, or delete the file when it has ended");
        });
        Bodies.reply(request, Json.object().put("id", file.id()).put("object", "file").put("deleted", true));
    }

    private StoredFile find(Context request) {
        return find(store, request, request.pathParam("id"), clock);
    }

    /** A file that the caller sees. */
    static StoredFile find(Store store, Context request, String id, Clock clock) {
        return Optional.of(id).filter(Ids::isValid).flatMap(valid -> store.files().find(valid,
                Caller.of(request).project(), clock.instant().getEpochSecond()))
                .orElseThrow(() -> noSuchFile(id));
    }

    private static ApiException noSuchFile(String id) {
        return ApiException.notFound("id", "file_not_found", "no such file: '" + id + "'");
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    private static ObjectNode json(StoredFile file) {
        return Json.object().put("id", file.id()).put("object", "file").put("bytes", file.bytes())
                .put("created_at", file.createdAt()).put("expires_at", file.expiresAt().orElse(null))
                .put("filename", file.filename()).put("purpose", file.purpose()).put("status", file.status())
                .put("status_details", file.statusDetails().orElse(null));
    }
}
