package io.peft4j.parity;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of llama.cpp may have layers behind the last that draft tokens ahead, which the model does not run. */
class GgufDraftLayersTest {
    @TempDir
    private Path folder;

    @Test
    void layersThatDraftTokensAreLeftOut() throws IOException {
        Path fixture = Fixtures.FOLDER.resolve("families/qwen3-5-even");
        JsonNode expected = Fixtures.json(fixture.resolve("expected.json"));
        List<TokenSequence> texts = Fixtures.stream(expected.get("texts")).map(Fixtures::ids)
                .map(TokenSequence::allSupervised).toList();
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.resolve(file), folder.resolve(file));
        }
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), folder.resolve(file));
        }
        try (BaseModel base = load(folder)) {
            ModelExport.of(base).toGguf(folder.resolve("plain.gguf"));
        }
        Path drafting = folder.resolve("drafting.gguf");
        try (GgufFile file = GgufFile.open(folder.resolve("plain.gguf"))) {
            GgufWriter writer = copy(file);
            for (String name : file.names()) {
                addTensor(writer, file, name, name);
                if (name.startsWith("blk.1.")) {
                    addTensor(writer, file, name, name.replace("blk.1.", "blk.2."));
                }
            }
            addTensor(writer, file, "blk.1.attn_q.weight", "blk.2.nextn.eh_proj.weight");
            writer.uint32("qwen35.nextn_predict_layers", 1).write(drafting);
        }
        try (BaseModel model = load(drafting)) {
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.oneByOne(model, texts), "drafting");
        }
    }

    private static BaseModel load(Path path) {
        return BaseModel.load(path.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }

    private static void addTensor(GgufWriter writer, GgufFile file, String name, String as) {
        float[] values = file.readFloats(name);
        long[] shape = file.shape(name);
        writer.tensor(as, BlockType.F32, shape, (row, target) -> System.arraycopy(values, row * target.length, target,
                0, target.length));
    }

    /** A file with the same metadata and a layer more. */
    private static GgufWriter copy(GgufFile file) {
        GgufWriter writer = new GgufWriter();
        for (String key : file.metadata().keys()) {
            Object value = file.metadata().value(key);
            if (value instanceof String text) {
                writer.string(key, text);
            } else if (value instanceof Boolean flag) {
                writer.bool(key, flag);
            } else if (value instanceof Double || value instanceof Float) {
                writer.float32(key, ((Number) value).floatValue());
            } else if (value instanceof Number number) {
                writer.uint32(key, number.longValue() + (key.equals("qwen35.block_count") ? 1 : 0));
            } else if (((List<?>) value).get(0) instanceof String) {
                writer.strings(key, file.metadata().strings(key));
            } else if (((List<?>) value).get(0) instanceof Double || ((List<?>) value).get(0) instanceof Float) {
                writer.float32s(key, file.metadata().floats(key));
            } else {
                writer.int32s(key, Arrays.stream(file.metadata().integers(key)).mapToInt(i -> (int) i)
                        .toArray());
            }
        }
        return writer;
    }
}
