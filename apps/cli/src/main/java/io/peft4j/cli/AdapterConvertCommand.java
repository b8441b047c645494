package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.LoraConversion;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.AdapterImport;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j adapter convert}: an adapter in a form that other programs load. */
@Command(name = "convert", sortOptions = false, description = {"Writes an adapter in another form: a GGUF file that "
        + "llama.cpp applies to the base model, a folder for mlx-lm, a file for ONNX Runtime, or plain LoRA. Adapters "
        + "of these are read, too, and files of tensors as Kohya's trainer writes LoRA.",
    "With --rank an adapter of any mergeable method becomes LoRA of that rank; the error is reported."})
final class AdapterConvertCommand extends PeftCommand {
    private static final String CONVERTED = "converted";

    @Mixin
    private ExportModelOptions model;

    @Option(names = "--adapter", required = true, paramLabel = "DIR|FILE", description = "The adapter.")
    private Path adapter;

    @Option(names = "--output", required = true, paramLabel = "DIR|FILE",
            description = "A folder for a LoRA adapter, FILE.gguf for llama.cpp, or FILE.onnx_adapter.")
    private Path output;

    @Option(names = "--to", paramLabel = "mlx|onnx", description = "The form of the folder or file.")
    private String form;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--rank", paramLabel = "R",
            description = "Rank of the resulting LoRA; required for a folder. Default: unchanged")
    private Integer rank;

    @Mixin
    private ProofOptions proof;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        proof.check(this);
        if (form != null && !form.equals("mlx") && !form.equals("onnx")) {
            throw usage("--to is '" + form + "'; it must be mlx or onnx");
        }
        if (isFile(adapter) || AdapterImport.isMlx(adapter) || AdapterImport.isKohya(adapter)) {
            return readOther();
        }
        if ("mlx".equals(form) && isFile(output)) {
            throw usage("--to mlx writes a folder, and --output names a file");
        }
        if ("onnx".equals(form) && !AdapterImport.isOnnx(output)) {
            throw usage("--to onnx writes a file; --output must end with .onnx_adapter");
        }
        if (!isFile(output) && form == null && rank == null) {
            throw usage("a folder needs --rank or --to mlx; without them, write a GGUF file (--output FILE.gguf)");
        }
        if (rank != null && rank < 1) {
            throw usage("--rank is " + rank + "; it must be at least 1");
        }
        Path target = existing.choose(output);
        try (BaseModel base = model.load(this, Optional.of(adapter));
                PeftModel adapted = base.withAdapter(adapter)) {
            Optional<LoraConversion> conversion = Optional.ofNullable(rank)
                    .map(r -> LoraConversion.add(adapted, PeftModel.DEFAULT_ADAPTER, CONVERTED, r));
            String name = conversion.isPresent() ? CONVERTED : PeftModel.DEFAULT_ADAPTER;
            proof.askBefore(adapted.with(PeftModel.DEFAULT_ADAPTER));
            proof.onCopy(target.getFileName().toString(), copy -> {
                write(adapted, name, copy);
                prove(base, copy);
            });
            write(adapted, name, target);
            print(target, conversion);
        }
        return 0;
    }

    private static boolean isFile(Path path) {
        return AdapterMergeCommand.isGguf(path) || AdapterImport.isOnnx(path);
    }

    private void write(PeftModel adapted, String name, Path target) {
        if (AdapterMergeCommand.isGguf(target)) {
            AdapterExport.toGguf(adapted, name, target);
        } else if (AdapterImport.isOnnx(target)) {
            AdapterExport.toOnnx(adapted, name, target);
        } else if (form != null) {
            AdapterExport.toMlx(adapted, name, target);
        } else {
            adapted.saveAdapter(name, target);
        }
    }

    /** What was written is read back. */
    private void prove(BaseModel base, Path written) {
        Path folder = written;
        if (isFile(written) || form != null) {
            folder = written.resolveSibling("read-back");
            AdapterImport.from(base, written, folder, IfExists.FAIL);
        }
        try (PeftModel again = base.withAdapter(folder)) {
            proof.askAfter(again, ways());
        }
    }

    /** What keeps more of a tuning than a low rank. */
    private List<String> ways() {
        String same = " --model " + model.name() + " --adapter " + adapter;
        return rank == null ? List.of() : List.of("of a higher rank: peft4j adapter convert" + same + " --rank " + 2
                * rank + (form == null ? "" : " --to " + form) + " --output " + output,
                "merged:           peft4j adapter merge" + same
                        + " --output merged");
    }

    /** The forms of llama.cpp, mlx-lm, ONNX Runtime and Kohya become Hugging Face PEFT's. */
    private int readOther() {
        if (isFile(output) || form != null || rank != null || proof.isGiven()) {
            throw usage("an adapter of another program becomes a folder, of its own rank; there is nothing to prove");
        }
        Path target = existing.choose(output);
        try (BaseModel base = model.load(this)) {
            AdapterImport.from(base, adapter, target, existing.inChosen());
            print(target, Optional.empty());
        }
        return 0;
    }

    private void print(Path target, Optional<LoraConversion> conversion) {
        double worst = conversion.flatMap(c -> c.errors().values().stream().max(Double::compare)).orElse(0.0);
        double error = conversion.map(LoraConversion::error).orElse(0.0);
        if (json.isGiven()) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("output", target.toString())
                    .put("relative_error", error)
                    .put("largest_relative_error", worst);
            proof.addTo(line);
            console().print(line);
        } else {
            console().say("wrote %s; lost: %.3g of the change, at most %.3g of that of a layer", target, error, worst);
            proof.say(console());
        }
    }
}
