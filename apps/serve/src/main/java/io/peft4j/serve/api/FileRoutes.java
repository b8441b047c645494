package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
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
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code /v1/files}. */
public final class FileRoutes implements RouteGroup {
    /** What a client may say a file is for. */
    static final List<String> PURPOSES = List.of("assistants", "batch", "fine-tune", "vision", "user_data", "evals");
    private static final int MOST_LISTED = 10_000;
    private static final int ROWS_SHOWN = 3;
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
                        + "'properties': {'columns': {'type': 'object'}, 'first': {'type': 'integer'}, 'save_as': "
                        + Operation.TEXT + "}}")
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
            DataFile file = DataFile.of(place).withLook(() -> LongRequests.requireClient(request));
            ObjectNode reply = new FileRows(file, given, name.isPresent()).write(shown, out, heldOut);
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

    /** Nothing in a header that would end it or its text. */
    static String safe(String filename) {
        return new String(filename.replaceAll("[^A-Za-z0-9._ -]", "_").getBytes(StandardCharsets.US_ASCII),
                StandardCharsets.US_ASCII);
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
