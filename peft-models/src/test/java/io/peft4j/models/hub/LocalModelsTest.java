package io.peft4j.models.hub;

import static io.peft4j.models.hub.HubDownloadTest.assertContains;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ModelNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders and files, and and the errors for those that are not models. */
class LocalModelsTest {
    @TempDir
    Path folder;

    private ModelLocator locator;

    @BeforeEach
    void build() {
        HubOptions options = HubOptions.from(Map.of("HF_HUB_CACHE", folder.resolve("cache").toString(),
                "HF_HUB_OFFLINE", "1", "HOME", folder.toString()));
        locator = ModelLocator.builder().options(options).build();
    }

    @Test
    void folderWithConfigAndWeights() throws IOException {
        Path model = model("mine", "config.json", "model.safetensors");
        ModelSource source = locator.locate(model.toString());
        assertInstanceOf(ModelSource.HuggingFaceFolder.class, source);
        assertEquals(model, source.path());
        assertEquals(Optional.empty(), source.provenance().id());
        assertEquals(model.toString(), source.name());
    }

    @Test
    void ggufFileByItselfOrAloneInAFolder() throws IOException {
        Path model = model("mine", "a.gguf", "README.md");
        assertEquals(model.resolve("a.gguf"), locator.locate(model.resolve("a.gguf").toString()).path());
        assertInstanceOf(ModelSource.GgufPath.class, locator.locate(model.toString()));
        assertEquals(model.resolve("a.gguf"), locator.locate(model.toString()).path());
        Files.createFile(model.resolve("b.gguf"));
        assertContains(fails(model.toString()), "lacks config.json", "a.gguf, b.gguf", "Choose one of its GGUF files");
    }

    @Test
    void incompleteFoldersListTheirContent() throws IOException {
        assertContains(fails(model("a").toString()), "lacks config.json, model.safetensors", "is empty");
        assertContains(fails(model("b", "model.safetensors", "notes.txt").toString()), "lacks config.json",
                "model.safetensors, notes.txt");
        assertContains(fails(model("c", "config.json", "pytorch_model.bin").toString()), "lacks model.safetensors",
                "safe_serialization");
        assertContains(fails(model("d", "adapter_config.json", "adapter_model.safetensors").toString()),
                "looks like an adapter");
    }

    @Test
    void missingShardIsReported() throws IOException {
        Path model = model("mine", "config.json", "model-1.safetensors");
        Files.writeString(model.resolve("model.safetensors.index.json"),
                "{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
        assertContains(fails(model.toString()), "lacks model-2.safetensors;");
        Files.writeString(model.resolve("model.safetensors.index.json"), "{broken");
        assertContains(fails(model.toString()), "lacks model.safetensors.index.json (a readable one)");
        Files.writeString(model.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"a\\u0000.safetensors\", \"b\": \"../b.safetensors\"}}");
        assertContains(fails(model.toString()), "lacks model.safetensors.index.json (a readable one)");
    }

    @Test
    void otherFilesAreNotModels() throws IOException {
        Path model = model("mine", "config.json", "model.safetensors");
        assertContains(fails(model.resolve("model.safetensors").toString()), "only a .gguf file",
                "Use its folder, " + model);
        Path other = model("other", "weights.bin");
        assertContains(fails(other.resolve("weights.bin").toString()), "Use the folder with config.json");
    }

    @Test
    void misspeltPathsListNearNames() throws IOException {
        model("llama-small", "config.json");
        model("unrelated");
        assertContains(fails(folder.resolve("lama-small").toString()), "no lama-small in " + folder,
                "'llama-small'");
        assertContains(fails(folder.resolve("llama-small/deep/model.gguf").toString()),
                "no deep in " + folder.resolve("llama-small"));
    }

    @Test
    void misspeltIdsListSearchedPlacesAndCachedModels() throws IOException {
        Files.createDirectories(folder.resolve("cache").resolve("models--acme--tiny"));
        assertContains(fails("acme/tinny"), "Model 'acme/tinny' was not found", "(1) no such folder or file",
                "(2) the cache", "(3) the hub was skipped", "'acme/tiny'", "HF_TOKEN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a//b", "../up", "a/../b", "a b/c", "/nowhere/x", "a\\b", "x.gguf", "org/--x",
        "nul\0byte", "a/b/c"})
    void invalidIdsAreTakenAsPaths(String reference) {
        assertContains(fails(reference), "Use an existing folder or GGUF file, or a hub ID such as");
    }

    @Test
    void emptyReference() {
        assertContains(fails("  "), "No model given");
    }

    @Test
    void referencesAreTakenApart() {
        assertEquals(new ModelReference("org/name", "main", Optional.empty()), ModelReference.parse("org/name").get());
        assertEquals(new ModelReference("gpt2", "main", Optional.empty()), ModelReference.parse("gpt2").get());
        assertEquals(new ModelReference("org/n.a-me_1", "refs/pr/3", Optional.of("q/m.gguf")),
                ModelReference.parse("org/n.a-me_1@refs/pr/3:q/m.gguf").get());
        assertEquals(Optional.empty(), ModelReference.parse("org/name:../m.gguf"));
        assertEquals(Optional.empty(), ModelReference.parse("org/name@../x"));
        assertEquals(Optional.empty(), ModelReference.parse("org/name:model.bin"));
    }

    private ModelNotFoundException fails(String reference) {
        return assertThrows(ModelNotFoundException.class, () -> locator.locate(reference));
    }

    private Path model(String name, String... files) throws IOException {
        Path model = Files.createDirectories(folder.resolve(name));
        for (String file : files) {
            Files.createFile(model.resolve(file));
        }
        return model;
    }
}
