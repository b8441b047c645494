package io.peft4j.models.export;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.models.BaseModel;
import io.peft4j.models.gguf.GgufLoraFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Adapters in other programs: what each can load, and the file that llama.cpp applies. */
public final class AdapterExport {
    /** The largest rank that vLLM takes unless it is started with another {@code --max-lora-rank}. */
    private static final int VLLM_RANK = 16;

    private AdapterExport() {
    }

    /**
     * Why other programs cannot load an adapter: by the name of the program a sentence for each reason, none where it
     * can. Hugging Face PEFT loads everything saved here.
     *
     * @param model the model
     * @param name the adapter
     */
    public static Map<String, List<String>> obstacles(PeftModel model, String name) {
        BaseModel base = ModelExport.base(model);
        Adapter adapter = model.adapter(name);
        Map<String, List<String>> obstacles = new LinkedHashMap<>();
        String type = adapter.config().peftType();
        PeftMethod method = PeftMethods.byType(type);
        obstacles.put("Hugging Face PEFT", method.isInHuggingFacePeft() ? method.huggingFaceObstacle().stream().toList()
                : List.of("it does not support the method " + type));
        obstacles.put("llama.cpp, as an adapter", forLlamaCpp(base, adapter));
        obstacles.put("vLLM", Stream.concat(repeatedLayers(base).stream(), vllm(adapter).stream()).toList());
        obstacles.put("a merged model", adapter.layers().stream().flatMap(layer -> layer.mergeObstacle().stream()
                .map(reason -> layer.slot().path() + ": " + reason)).distinct().toList());
        return obstacles;
    }

    private static List<String> forLlamaCpp(BaseModel base, Adapter adapter) {
        return Stream.concat(repeatedLayers(base).stream(), GgufLoraFile.obstacles(adapter, base.config(),
                base.network().description().tiedEmbeddings()).stream()).toList();
    }

    /** A program that loads the base has it as it was published. */
    private static Optional<String> repeatedLayers(BaseModel base) {
        List<Integer> order = base.layerOrder();
        return order.equals(IntStream.range(0, order.size()).boxed().toList()) ? Optional.empty()
                : Optional.of("the model consists of the base's layers " + order + " (layer_replication); merge the "
                        + "adapter instead");
    }

    private static List<String> vllm(Adapter adapter) {
        List<String> reasons = new ArrayList<>();
        List<AdapterLayer> whole = adapter.layers().stream().filter(AdapterLayer::replacesBase).toList();
        if (!whole.isEmpty()) {
            reasons.add("layers or biases that are trained as a whole (" + whole.size() + ", first: "
                    + whole.get(0).slot().path() + ")");
        }
        List<AdapterLayer> others = adapter.layers().stream()
                .filter(layer -> !layer.replacesBase() && layer.lowRankUpdate().isEmpty()).toList();
        if (!others.isEmpty() || !adapter.sharedTensors().isEmpty()) {
            reasons.add("it supports plain LoRA only, and this adapter is " + adapter.config().peftType());
        }
        int rank = adapter.layers().stream().flatMap(layer -> layer.lowRankUpdate().stream())
                .mapToInt(update -> update.rank()).max().orElse(0);
        if (rank > VLLM_RANK) {
            reasons.add("its rank is " + rank + ", above vLLM's default limit; start vLLM with --max-lora-rank "
                    + rank);
        }
        return reasons;
    }

    /**
     * Writes an adapter as a GGUF file that llama.cpp applies to the base model ({@code --lora}).
     *
     * @param model the model
     * @param name the adapter
     * @param file the file to create or replace
     * @throws io.peft4j.core.error.ConfigurationException when llama.cpp cannot apply it, with all reasons
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public static void toGguf(PeftModel model, String name, Path file) {
        BaseModel base = ModelExport.base(model);
        repeatedLayers(base).ifPresent(reason -> {
            throw new ConfigurationException("llama.cpp cannot apply this adapter: " + reason);
        });
        GgufLoraFile.write(file, name, model.adapter(name), base.config(),
                base.network().description().tiedEmbeddings());
    }

    /**
     * Writes an adapter as a folder that mlx-lm applies to the base model ({@code --adapter-path}), as plain LoRA.
     *
     * @param model the model
     * @param name the adapter
     * @param folder a folder that does not exist, or holds files that are replaced
     * @throws ConfigurationException when mlx-lm cannot apply it
     * @throws UncheckedIOException when a file cannot be written
     */
    public static void toMlx(PeftModel model, String name, Path folder) {
        BaseModel base = ModelExport.base(model);
        repeatedLayers(base).ifPresent(reason -> {
            throw new ConfigurationException("mlx-lm cannot apply this adapter: " + reason);
        });
        try {
            MlxAdapter.write(folder, base, model.adapter(name));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Writes an adapter as a file that ONNX Runtime applies to a model whose LoRA Olive made inputs, as plain LoRA.
     *
     * @param model the model
     * @param name the adapter
     * @param file the file to create or replace; its name should end with {@code .onnx_adapter}
     * @throws ConfigurationException when it is not plain LoRA on linear layers
     * @throws UncheckedIOException when the file cannot be written
     */
    public static void toOnnx(PeftModel model, String name, Path file) {
        BaseModel base = ModelExport.base(model);
        repeatedLayers(base).ifPresent(reason -> {
            throw new ConfigurationException("ONNX Runtime cannot apply this adapter: " + reason);
        });
        OnnxAdapter.write(file, base, model.adapter(name));
    }
}
