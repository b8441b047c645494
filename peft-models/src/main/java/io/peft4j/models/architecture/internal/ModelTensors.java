package io.peft4j.models.architecture.internal;

import java.util.List;

/** A layer that says which tensors it is stored as, where these are not a weight and maybe a bias. */
public interface ModelTensors {
    /** Its tensors. */
    List<ModelTensor> tensors(String path);
}
