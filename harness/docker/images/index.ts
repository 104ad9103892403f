export {
  type BuildOptions,
  type BuiltImage,
  ensureImage,
  ensureImages,
  type OnImageStep,
} from './ensure-images.js';
export { type ImageState, imagesState, removeImages } from './images-state.js';
export { IMAGE_KINDS, type ImageKind, imageName, REPOSITORY, withBases } from './kinds.js';
