package io.peft4j.parity;

import io.peft4j.core.io.IfExists;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.ModelExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of a model and an adapter on it, for llama.cpp.
 *
 * @param model the model as it is
 * @param merged the model with the adapter merged
 * @param lora the adapter
 */
record GgufFiles(Path model, Path merged, Path lora) {
    /** Writes {@code NAME.gguf}, {@code NAME-merged.gguf} and {@code NAME-lora.gguf}. */
    static GgufFiles write(BaseModel base, PeftModel adapted, Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        GgufFiles files = new GgufFiles(folder.resolve(name + ".gguf"), folder.resolve(name + "-merged.gguf"),
                folder.resolve(name + "-lora.gguf"));
        ModelExport.of(base).ifExists(IfExists.OVERWRITE).toGguf(files.model());
        ModelExport.of(adapted).ifExists(IfExists.OVERWRITE).toGguf(files.merged());
        AdapterExport.toGguf(adapted, PeftModel.DEFAULT_ADAPTER, files.lora());
        return files;
    }
}
