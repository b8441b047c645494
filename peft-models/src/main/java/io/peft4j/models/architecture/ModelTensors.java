package io.peft4j.models.architecture;

import java.util.List;

/** A layer that is stored as other tensors than a weight and maybe a bias, or beside them. */
public interface ModelTensors {
    /** Its tensors. */
    List<ModelTensor> tensors(String path);
}
