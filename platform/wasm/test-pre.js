/* Runs inside every test program, before its main(): the environment reaches getenv(), fonts are
 * those of Debian's fonts-dejavu-core, and the program is read from its file, because Emscripten
 * 3.1.6 tries fetch() on Node 18 and later. */
Module['preRun'] = function () {
    Object.assign(ENV, { SIDELINE_FONTS: '/usr/share/fonts/truetype/dejavu' }, process.env);
};
Module['wasmBinary'] = require('fs').readFileSync(__filename.replace(/\.js$/, '.wasm'));
