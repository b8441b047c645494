package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.safetensors.DType;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.safetensors.TensorInfo;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The arrays of a training in a safetensors file: trainable parameters and the optimizer's moments, in f32 and bit for
 * bit as they lie in memory.
 */
final class OptimizerFile {
    static final String FILE = "optimizer.safetensors";

    private OptimizerFile() {
    }

    /** Writes the arrays into a folder. */
    static void save(Path folder, Map<String, INDArray> arrays) {
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        arrays.forEach((name, array) -> tensors.put(name, TensorData.of(array)));
        SafetensorsWriter.write(folder.resolve(FILE), tensors);
    }

    /**
     * Reads the arrays of a folder into those given, all or none.
     *
     * @throws FileFormatException when the file is damaged, or holds other arrays
     */
    static void load(Path folder, Map<String, INDArray> arrays) {
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(FILE))) {
            arrays.forEach((name, array) -> requireFit(file, name, array));
            if (file.tensors().size() != arrays.size()) {
                throw new FileFormatException(file.path(), "holds " + file.tensors().size() + " arrays; "
                        + arrays.size() + " belong to this training");
            }
            arrays.forEach((name, array) -> file.readF32(name, Arrays.address(array)));
        }
    }

    private static void requireFit(SafetensorsFile file, String name, INDArray array) {
        TensorInfo info = file.info(name);
        boolean fits = info.dtype().filter(DType.F32::equals).isPresent()
                && java.util.Arrays.equals(info.shape(), array.shape());
        if (!fits) {
            throw new FileFormatException(file.path(), name + " is " + info.dtypeName() + " "
                    + java.util.Arrays.toString(info.shape()) + ", must be F32 "
                    + java.util.Arrays.toString(array.shape()));
        }
    }
}
