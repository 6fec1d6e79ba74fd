/* Made by xor_published.py: do not edit; README.md tells how to make it again. */
/* clang-format off */
enum { XOR_STORED = 16, XOR_WEIGHTS = 6 };
static const float xor_initial[XOR_WEIGHTS] = {
    0.435994893f, 0.0259262323f, 0.549662471f, 0.435322404f, 0.420367807f, 0.330334812f};
static const int xor_epochs[XOR_STORED] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 2000, 3000, 4000, 5000, 5999};
static const double xor_costs[XOR_STORED] = {
    0.6852592695613, 0.6852161541566, 0.6850908592307, 0.6848947137782, 0.6845444157136,
    0.6837437961332, 0.6828906852466, 0.6818608432341, 0.6797272273774, 0.6733733694253,
    0.6612089784841, 0.6309459846945, 0.2432939406008, 0.00264233627669, 8.310949544097e-06,
    2.278658871637e-08};
static const double xor_cost_spreads[XOR_STORED] = {
    6.6e-08, 7.4e-08, 6.3e-08, 8.9e-08, 7.7e-08, 1.1e-07, 9.5e-08, 1.5e-07, 1.4e-07, 2.2e-07,
    4.4e-07, 1.2e-06, 7.7e-06, 1.9e-07, 6.3e-09, 7.2e-10};
static const double xor_weights[XOR_WEIGHTS] = {
    0.6353922984964, -0.7077428638, -0.6352845287092, 0.5577328879037, 1.573689846891,
    1.79281298584};
static const double xor_weight_spreads[XOR_WEIGHTS] = {4.7e-06, 5.7e-06, 5.9e-06, 4.6e-06, 1.1e-05, 1.7e-05};
static const double xor_outputs[4] = {0.0, 0.9999107640637, 0.9999104089368, 0.0001695962199427};
static const double xor_output_spreads[4] = {0.0e+00, 2.0e-06, 1.3e-06, 2.9e-06};
