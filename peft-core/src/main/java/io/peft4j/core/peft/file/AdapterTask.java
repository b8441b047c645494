package io.peft4j.core.peft.file;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Task;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.weight.TensorInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What an adapter is for: a base that has no head of its own is loaded for that task before the adapter is. */
@Internal(shared = true)
public final class AdapterTask {
    /** The last layers of heads, as they are called in a file. */
    private static final List<String> OUTPUTS = List.of(".classifier.weight", ".score.weight",
            ".classifier.out_proj.weight");

    private AdapterTask() {
    }

    /**
     * The task of the adapter in a folder, where it is one with a head. The names of the labels are those that it was
     * trained with; of an adapter from elsewhere their number is known, and the base may know the names.
     *
     * @throws io.peft4j.core.error.PeftException when the folder holds no adapter, or a file is damaged
     */
    public static Optional<Task> read(Path folder) {
        Optional<String> named = AdapterCheckpoint.readConfig(folder).common().taskType();
        Map<String, String> description = AdapterProvenance.read(folder).map(AdapterProvenance::description)
                .orElse(Map.of());
        Optional<Task.Type> type = named.or(() -> Optional.ofNullable(description.get(AdapterProvenance.TASK)))
                .map(Task.Type::valueOf).filter(Task.Type::hasHead);
        if (type.isEmpty() || !type.get().hasLabels()) {
            return type.map(Task::of);
        }
        if (description.containsKey(AdapterProvenance.LABELS)) {
            return Optional.of(new Task(type.get(), List.of(description.get(AdapterProvenance.LABELS).split("\n")),
                    Task.Problem.valueOf(description.getOrDefault(AdapterProvenance.PROBLEM, "SINGLE_LABEL"))));
        }
        int count = outputs(folder);
        return Optional.of(count == 0 ? Task.of(type.get()) : new Task(type.get(), Task.unnamedLabels(count),
                count == 1 && type.get() == Task.Type.SEQ_CLS ? Task.Problem.REGRESSION : Task.Problem.SINGLE_LABEL,
                false));
    }

    /** The number of outputs of the head that the adapter brings; 0 where it brings none. */
    private static int outputs(Path folder) {
        try (SafetensorsFile file = SafetensorsFile.open(AdapterCheckpoint.existing(folder,
                AdapterCheckpoint.WEIGHTS_FILE))) {
            return file.tensors().values().stream().filter(tensor -> OUTPUTS.stream().anyMatch(tensor.name()::endsWith))
                    .map(TensorInfo::shape).filter(shape -> shape.length == 2 && shape[0] < Integer.MAX_VALUE)
                    .mapToInt(shape -> (int) shape[0]).findFirst().orElse(0);
        }
    }
}
