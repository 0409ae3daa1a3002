answer()
if then
