package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.safetensors.DType;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.TensorInfo;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The arrays of a training in a safetensors file: trainable parameters and what the optimizer remembers, bit for bit as
 * they lie in memory.
 */
final class OptimizerFile {
    /** The file in a checkpoint. */
    public static final String FILE = "optimizer.safetensors";
    private static final int TILE_BYTES = 1 << 16;

    private OptimizerFile() {
    }

    /** Writes the arrays into a folder. */
    public static void save(Path folder, Map<String, INDArray> arrays) {
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        arrays.forEach((name, array) -> tensors.put(name, TensorData.of(array)));
        SafetensorsWriter.write(folder.resolve(FILE), tensors);
    }

    /**
     * Reads the arrays of a folder into those given, all or none.
     *
     * @throws FileFormatException when the file is damaged, or holds other arrays
     */
    public static void load(Path folder, Map<String, INDArray> arrays) {
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(FILE))) {
            arrays.forEach((name, array) -> requireFit(file, name, array));
            if (file.tensors().size() != arrays.size()) {
                throw new FileFormatException(file.path(), "holds " + file.tensors().size() + " arrays; "
                        + arrays.size() + " belong to this training");
            }
            arrays.forEach((name, array) -> read(file, name, array));
        }
    }

    private static void read(SafetensorsFile file, String name, INDArray array) {
        long length = file.info(name).length();
        byte[] tile = new byte[(int) Math.min(TILE_BYTES, length)];
        for (long done = 0; done < length; done += tile.length) {
            int count = (int) Math.min(tile.length, length - done);
            file.readBytes(name, done, tile, 0, count);
            NativeMemory.write(Arrays.address(array) + done, tile, 0, count);
        }
    }

    private static void requireFit(SafetensorsFile file, String name, INDArray array) {
        TensorInfo info = file.info(name);
        DType expected = TensorData.of(array).dtype();
        boolean fits = DType.of(info.typeName()).filter(expected::equals).isPresent()
                && java.util.Arrays.equals(info.shape(), array.shape());
        if (!fits) {
            throw new FileFormatException(file.path(), name + " is " + info.typeName() + " "
                    + java.util.Arrays.toString(info.shape()) + ", must be " + expected + " "
                    + java.util.Arrays.toString(array.shape()));
        }
    }
}
