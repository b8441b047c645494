package io.peft4j.serve.answer;

import io.javalin.http.Context;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.serve.api.ModelRoutes;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.ServedModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * vLLM's {@code POST /v1/load_lora_adapter} and {@code /v1/unload_lora_adapter}, where roots were given. A client
 * chooses among the folders that lie in them: what it sends is compared with these, and never becomes a path.
 */
final class AdapterRoutes implements RouteGroup {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}");
    /** What a parser says of a text quotes it, which is not for clients. */
    private static final Pattern UNREADABLE = Pattern.compile("(is not valid JSON): .*?( at line \\d+, column \\d+)?$",
            Pattern.DOTALL);
    /** How deep below a root adapters are looked for. */
    private static final int DEPTH = 3;

    private final ServedModels models;
    private final List<Path> roots;

    /**
     * The routes.
     *
     * @param roots folders with folders of adapters; none, and nothing can be loaded
     */
    public AdapterRoutes(ServedModels models, List<Path> roots) {
        this.models = models;
        this.roots = List.copyOf(roots);
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/load_lora_adapter", Operation.of("loadAdapter", "Lets an adapter answer, as vLLM does")
                .body("{'type': 'object', 'required': ['lora_name', 'lora_path'], 'properties': {'lora_name': "
                        + "{'type': 'string'}, 'lora_path': {'type': 'string'}}}")
                .atMost(Bound.NAMES_BYTES)
                .reply("text/plain", Operation.TEXT), this::load);
        routes.post("/v1/unload_lora_adapter", Operation.of("unloadAdapter", "Takes an adapter out, as vLLM does")
                .body("{'type': 'object', 'required': ['lora_name'], 'properties': {'lora_name': {'type': 'string'}}}")
                .atMost(Bound.NAMES_BYTES).reply("text/plain", Operation.TEXT), this::unload);
    }

    private void requireAllowed() {
        if (roots.isEmpty()) {
            throw ApiException.forbidden("adapters cannot be loaded and unloaded here: the server was started without "
                    + "a folder to load them from");
        }
    }

    /** Who unloads an adapter has it still; a model that was tuned here would be lost. */
    private void requireAdded(String name) {
        if (models.isOwn(name)) {
            throw ApiException.invalid("lora_name", "'" + name + "' is the base model or was tuned here, not an "
                    + "adapter that was loaded; DELETE /v1/models/NAME deletes a tuned one for good");
        }
    }

    private void load(Context http) {
        requireAllowed();
        RequestFields fields = new RequestFields(Bodies.object(http));
        fields.required("lora_name");
        fields.required("lora_path");
        String name = fields.text("lora_name").orElseThrow();
        String wanted = fields.text("lora_path").orElseThrow();
        boolean inPlace = fields.flag("load_inplace");
        fields.ignore("base_model_name");
        fields.requireKnown();
        if (!NAME.matcher(name).matches()) {
            throw ApiException.invalid("lora_name", "'lora_name' may have letters, digits and . _ : / -, and begins "
                    + "with a letter or digit");
        }
        Path folder = find(wanted).orElseThrow(() -> ApiException.notFound("lora_path", "adapter_not_found",
                "no folder of an adapter is called so below the folders that the server loads from"));
        // One that another project has is not replaced either.
        Caller caller = Caller.of(http);
        boolean seen = models.find(name, caller).isPresent();
        if (models.find(name).isPresent() && !(seen && inPlace)) {
            throw ApiException.of(400, "invalid_request_error", "model_exists", "lora_name", "The lora adapter '"
                    + name + "' has already been loaded. To load it in place, set 'load_inplace' to true.");
        }
        requireAdded(name);
        requireInside(folder);
        LongRequests.enter(http);
        try {
            requirePartsInside(folder);
            models.replace(name, folder, caller.project());
        } catch (PeftException e) {
            throw ApiException.invalid("lora_path",
                    UNREADABLE.matcher(e.getMessage().replace(folder.toString(), wanted))
                            .replaceAll("$1$2"));
        }
        http.contentType("text/plain").result("Success: LoRA adapter '" + name + "' added successfully.");
    }

    private void unload(Context http) {
        requireAllowed();
        RequestFields fields = new RequestFields(Bodies.object(http));
        fields.required("lora_name");
        String name = fields.text("lora_name").orElseThrow();
        fields.ignore("lora_int_id");
        fields.requireKnown();
        Caller caller = Caller.of(http);
        if (models.find(name, caller).isEmpty()) {
            throw ModelRoutes.noSuchModel(models, name, caller);
        }
        requireAdded(name);
        models.remove(name);
        http.contentType("text/plain").result("Success: LoRA adapter '" + name + "' removed successfully.");
    }

    /** The folder that is called so: by its path, or by its place below a root. */
    private Optional<Path> find(String wanted) {
        for (Path root : roots) {
            for (Path folder : folders(root)) {
                if (folder.toString().equals(wanted)
                        || root.toAbsolutePath().relativize(folder).toString().replace('\\', '/').equals(wanted)) {
                    return Optional.of(folder);
                }
            }
        }
        return Optional.empty();
    }

    /** Folders of adapters below a root; links lead nowhere. */
    private static List<Path> folders(Path root) {
        try (Stream<Path> files = Files.walk(root.toAbsolutePath(), DEPTH + 1)) {
            List<Path> folders = new ArrayList<>();
            files.filter(file -> file.getFileName().toString().equals("adapter_config.json"))
                    .forEach(file -> folders.add(file.getParent()));
            return folders;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look into " + root, e);
        }
    }

    /**
     * Refuses a folder in which a link leads out of the roots: whoever may write there could have any file of this
     * machine read. Links within a root stay, as in the cache of the hub.
     */
    private void requireInside(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isSymbolicLink).toList()) {
                if (!isInside(file)) {
                    throw leadsOutside(file);
                }
            }
        } catch (NoSuchFileException e) {
            throw leadsOutside(Path.of(e.getFile()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look into " + folder, e);
        }
    }

    /** Refuses an adapter that is made of others outside of the roots. */
    private void requirePartsInside(Path folder) {
        for (String part : AdapterCheckpoint.readConfig(folder).parts()) {
            try {
                for (Path place : List.of(folder.resolve(part), Path.of(part))) {
                    if (Files.isDirectory(place) && !isInside(place)) {
                        throw ApiException.invalid("lora_path", "the adapter is made of others outside of the folders "
                                + "that the server loads from");
                    }
                }
            } catch (InvalidPathException e) {
                throw ApiException.invalid("lora_path", "the adapter is made of others, and one's name is no path");
            } catch (IOException e) {
                throw new UncheckedIOException("cannot look into " + folder, e);
            }
        }
    }

    private boolean isInside(Path file) throws IOException {
        Path target = file.toRealPath();
        for (Path root : roots) {
            if (target.startsWith(root.toRealPath())) {
                return true;
            }
        }
        return false;
    }

    private static ApiException leadsOutside(Path link) {
        return ApiException.invalid("lora_path", "the adapter's file '" + link.getFileName() + "' is a link that leads "
                + "out of the folders that the server loads from, or nowhere; put the file itself there");
    }
}
