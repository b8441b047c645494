package io.peft4j.serve.api.internal;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Caller;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.Operation;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.http.internal.Routes;
import io.peft4j.serve.store.internal.Ids;
import io.peft4j.serve.store.internal.ListPage;
import io.peft4j.serve.store.internal.Store;
import io.peft4j.serve.store.internal.StoredFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/** {@code /v1/files}. */
public final class FileRoutes implements RouteGroup {
    /** What a client may say a file is for. */
    static final List<String> PURPOSES = List.of("assistants", "batch", "fine-tune", "vision", "user_data", "evals");
    private static final int MOST_LISTED = 10_000;

    private final Store store;
    private final Uploads uploads;
    private final Clock clock;

    /** Routes over what is stored. */
    public FileRoutes(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
        this.uploads = new Uploads(store, clock);
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
        routes.delete("/v1/files/{id}", Operation.of("deleteFile", "Deletes a file").reply("Deleted"), this::delete);
    }

    private void list(Context request) {
        Optional<String> purpose = Optional.ofNullable(request.queryParam("purpose")).filter(text -> !text.isEmpty());
        ListPage.Request page = Paging.of(request, MOST_LISTED, MOST_LISTED);
        Bodies.reply(request, Paging.json(store.files().list(Caller.of(request).project(), purpose, page,
                now())
                .orElseThrow(Paging::unknownAfter), FileRoutes::json));
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

    /** Nothing in a header that would end it or its text. */
    private static String safe(String filename) {
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
